// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's TCG that counts a guest kernel's instructions by address, by
 * function or by call path, from one reading of the guest program's clock to the next.
 *
 * Each instruction adds one to a counter; nothing else is exact where a fault ends a
 * translated block early.  A user instruction that faults has been counted and is
 * begun again, so one is taken off: what is left is what -icount counts.  Of one of
 * the kernel's it is not known which it was; whoever reads the file sees the sum.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "functions.h"
#include "output.h"
#include "paths.h"
#include "pending.h"
#include "qemu.h"

/* Slots, one for each counter; those of functions or addresses follow. */
enum { USER, OTHER, FIRST };

struct plugin {
	enum by by;
	struct functions functions;
	uint64_t clock, clock_end; /* the guest program's function that reads it */
	uint64_t *count, *last, *address; /* by slot; last: at the mark before */
	uint32_t *slot_of; /* BY_ADDRESS: by offset into the text */
	uint32_t slots;
	uint64_t user_seen; /* at the last entry into the kernel */
	uint64_t halts, halts_last;
	struct pending pending; /* calls of the clock */
	uint64_t accessors; /* instructions whose access is followed, and that ran */
	uint64_t accessed; /* of them, those whose access was seen */
	bool marked; /* before the first mark there is nothing to follow */
	struct paths paths;
	struct output out;
};

/* QEMU hands a plugin no pointer of its own when it translates. */
static struct plugin plugin;

/* ---- accesses of memory ---- */

/*
 * QEMU 7.2 takes stores for loads and both for stores, so that
 * all are asked for; and of an instruction that ends a block it goes on to report
 * what others access, until the next that is followed.  So each is expected but once.
 */
static void follow_accesses(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb,
			    void *data)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
						   &plugin.accessors, 1);
	qemu_plugin_register_vcpu_mem_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW, data);
}

static void *as_data(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

static uint64_t as_value(const void *data)
{
	return (uintptr_t)data;
}

static uint32_t function_slot(uint64_t function)
{
	return function == (uint64_t)NO_FUNCTION ? OTHER : FIRST + function;
}

/* Is it the load, or the store, of an instruction that is followed, and its first? */
static bool expected(struct plugin *p, qemu_plugin_meminfo_t info, bool store)
{
	if (p->accessors == p->accessed || qemu_plugin_mem_is_store(info) != store)
		return false;
	p->accessed = p->accessors;
	return true;
}

/* ---- the kernel is entered and left ---- */

static void on_entry(unsigned int cpu, void *data)
{
	struct plugin *p = &plugin;
	uint64_t function = as_value(data), kind = p->functions.all[function].kind;
	bool from_user = p->count[USER] != p->user_seen;

	/*
	 * Of a page of code that is missing no instruction has run; that is seen in the
	 * sum, and does not happen where the code has run before.
	 */
	if (kind & FUNCTION_FAULT && from_user)
		p->count[USER]--;
	p->user_seen = p->count[USER];
	if (p->by != BY_PATH || !p->marked)
		return;
	if (kind & FUNCTION_EXCEPTION && !from_user)
		paths_interrupt(&p->paths, function_slot(function), kind & FUNCTION_ROOT);
	else
		paths_enter(&p->paths, function_slot(function));
}

static void on_sysret(unsigned int cpu, void *data)
{
	if (plugin.marked)
		paths_leave(&plugin.paths);
}

/* The first of its loads is that of the address that it goes to. */
static void on_iret(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address,
		    void *data)
{
	if (expected(&plugin, info, false) && plugin.marked)
		paths_resume(&plugin.paths, address);
}

/* ---- paths ---- */

static void on_block(unsigned int cpu, void *data)
{
	if (plugin.marked)
		paths_at(&plugin.paths, as_value(data));
}

static void on_call(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address,
		    void *data)
{
	if (expected(&plugin, info, true) && plugin.marked)
		paths_call(&plugin.paths, as_value(data), address);
}

static void on_return(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address,
		      void *data)
{
	if (expected(&plugin, info, false) && plugin.marked)
		paths_return(&plugin.paths, as_value(data), address);
}

/* ---- marks ---- */

static void on_clock_call(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address,
			  void *data)
{
	struct plugin *p = &plugin;

	if (expected(p, info, true))
		pending_add(&p->pending, as_value(data), address, p->count[USER]);
}

static void write_counts(struct plugin *p)
{
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		if (p->count[slot] == p->last[slot])
			continue;
		output_part(&p->out, slot, p->count[slot] - p->last[slot]);
		p->last[slot] = p->count[slot];
	}
}

static void write_paths(struct plugin *p)
{
	if (p->marked)
		paths_settle(&p->paths, p->slots);
	else
		paths_begin(&p->paths, p->slots);
	for (uint32_t i = 0; i < p->paths.nr_changed; i++) {
		uint32_t node = p->paths.changed[i];

		output_part(&p->out, node, p->paths.nodes[node].self);
	}
	paths_clear(&p->paths);
}

static void on_mark(unsigned int cpu, void *data)
{
	struct plugin *p = &plugin;
	struct call call = pending_take(&p->pending, p->count[USER]);

	output_mark(&p->out, call.site, call.stack, p->halts - p->halts_last);
	p->halts_last = p->halts;
	write_counts(p);
	output_next(&p->out);
	if (p->by == BY_PATH)
		write_paths(p);
	output_next(&p->out);
	p->marked = true;
}

/* ---- translation ---- */

static void *here(struct plugin *p, uint64_t address, uint64_t function, uint32_t *slot)
{
	uint64_t offset = address - p->functions.all[0].address;

	*slot = address >> 63 ? function_slot(function) : USER;
	if (p->by != BY_ADDRESS || *slot < FIRST)
		return &p->count[*slot];
	if (!p->slot_of[offset]) {
		p->address[p->slots] = address;
		p->slot_of[offset] = p->slots++;
	}
	*slot = p->slot_of[offset];
	return &p->count[*slot];
}

static void follow_user(struct plugin *p, struct qemu_plugin_insn *insn, uint64_t address,
			enum insn_kind kind)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	size_t len = qemu_plugin_insn_size(insn);

	if (kind == INSN_CALL && call_target(bytes, len, address) == p->clock)
		follow_accesses(insn, on_clock_call, as_data(address));
	if (kind == INSN_RDTSCP && address >= p->clock && address < p->clock_end)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void follow_paths(struct qemu_plugin_insn *insn, enum insn_kind kind,
			 uint32_t slot)
{
	static const qemu_plugin_vcpu_mem_cb_t accesses[] = {
		[INSN_PLAIN] = NULL,
		[INSN_CALL] = on_call,
		[INSN_RET] = on_return,
		[INSN_IRET] = on_iret,
	};

	if (kind == INSN_SYSRET)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_sysret,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
	if (kind < sizeof(accesses) / sizeof(accesses[0]) && accesses[kind])
		follow_accesses(insn, accesses[kind], as_data(slot));
}

/* begins: the instruction is the first of a translated block. */
static void follow_kernel(struct plugin *p, struct qemu_plugin_insn *insn,
			  uint64_t address, uint64_t function, bool begins)
{
	const struct function *f = &p->functions.all[function];
	uint64_t entry = FUNCTION_ROOT | FUNCTION_EXCEPTION;
	bool blocks = f->kind & FUNCTION_BLOCKS && begins;

	if (f->kind & entry && (address == f->address || blocks))
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_entry, QEMU_PLUGIN_CB_NO_REGS, as_data(function));
	else if (p->by == BY_PATH && (address == f->address || blocks))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_block,
						       QEMU_PLUGIN_CB_NO_REGS,
						       as_data(function_slot(function)));
}

static void translate(struct plugin *p, struct qemu_plugin_insn *insn, bool begins)
{
	enum insn_kind kind =
		decode(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	uint64_t function = function_of(&p->functions, address);
	uint32_t slot;

	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
						   here(p, address, function, &slot), 1);
	if (slot == USER) {
		follow_user(p, insn, address, kind);
		return;
	}
	if (function != (uint64_t)NO_FUNCTION)
		follow_kernel(p, insn, address, function, begins);
	if (kind == INSN_HLT)
		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, QEMU_PLUGIN_INLINE_ADD_U64, &p->halts, 1);
	if (p->by == BY_PATH)
		follow_paths(insn, kind, slot);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++)
		translate(&plugin, qemu_plugin_tb_get_insn(tb, i), !i);
}

/* ---- beginning and end ---- */

static void on_exit_(qemu_plugin_id_t id, void *data)
{
	struct plugin *p = &plugin;

	output_table(&p->out, p->address, p->slots);
	output_nodes(&p->out, p->by == BY_PATH ? p->paths.nodes : NULL,
		     p->paths.nr_nodes);
	output_end(&p->out);
}

static int allocate(struct plugin *p)
{
	const struct functions *f = &p->functions;
	uint64_t text = f->all[f->n - 1].address - f->all[0].address;
	uint64_t most = FIRST + (p->by == BY_ADDRESS ? text : f->n);

	/* only what is used of it takes memory */
	p->count = calloc(most, sizeof(*p->count));
	p->last = calloc(most, sizeof(*p->last));
	p->address = calloc(most, sizeof(*p->address));
	p->slot_of = calloc(p->by == BY_ADDRESS ? text : 1, sizeof(*p->slot_of));
	if (!p->count || !p->last || !p->address || !p->slot_of)
		return -ENOMEM;
	p->slots = FIRST;
	if (p->by != BY_ADDRESS) {
		for (uint64_t i = 0; i < f->n; i++)
			p->address[FIRST + i] = f->all[i].address;
		p->slots += f->n;
	}
	return p->by == BY_PATH ? paths_init(&p->paths, p->count, p->slots) : 0;
}

/* NULL: there is no such argument. */
static const char *argument(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			return argv[i] + len + 1;
	return NULL;
}

static int start(struct plugin *p, int argc, char **argv)
{
	static const char *const words[] = { "out", "functions", "clock", "clock_end",
					     "by" };
	const char *value[5];
	int err;

	for (unsigned int i = 0; i < 5; i++)
		if (!(value[i] = argument(argc, argv, words[i]))) {
			fprintf(stderr, "zapbench plugin: no %s=\n", words[i]);
			return -EINVAL;
		}
	p->clock = strtoull(value[2], NULL, 0);
	p->clock_end = strtoull(value[3], NULL, 0);
	p->by = !strcmp(value[4], "path")	? BY_PATH
		: !strcmp(value[4], "function") ? BY_FUNCTION
						: BY_ADDRESS;
	err = functions_read(&p->functions, value[1]);
	if (!err)
		err = allocate(p);
	if (!err)
		err = output_begin(&p->out, value[0], p->by);
	if (err)
		fprintf(stderr, "zapbench plugin: %s\n", strerror(-err));
	return err;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API;

/* probe=on: says what the caller wants to know, and that is all. */
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
					   int argc, char **argv)
{
	if (argument(argc, argv, "probe")) {
		printf("zapbench plugin: API %d to %d\n", info->version.min,
		       info->version.cur);
		fflush(stdout);
		return -ECANCELED;
	}
	if (start(&plugin, argc, argv))
		return -EINVAL;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_, NULL);
	return 0;
}
