// SPDX-License-Identifier: GPL-2.0-only
/* The context record: what the figures of this stream were taken on. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "context.h"
#include "proc.h"
#include "record.h"
#include "size.h"

#define THP_DIR "/sys/kernel/mm/transparent_hugepage"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static const char *cpu_model(char *buf, size_t size)
{
	char line[512];
	FILE *f = fopen("/proc/cpuinfo", "re");

	snprintf(buf, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		snprintf(buf, size, "%s", colon + 2);
		buf[strcspn(buf, "\n")] = '\0';
		break;
	}
	if (f)
		fclose(f);
	return buf;
}

/* The GNU build id in /sys/kernel/notes, in hex; "" if there is none. */
static void kernel_build_id(char *hex, size_t size)
{
	unsigned char notes[4096];
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, notes, sizeof(notes));
	size_t at = 0;

	hex[0] = '\0';
	if (fd >= 0)
		close(fd);
	while (n > 0 && at + sizeof(Elf64_Nhdr) <= (size_t)n) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, notes + at, sizeof(h));
		name = at + sizeof(h);
		desc = name + ROUND_UP(h.n_namesz, 4);
		at = desc + ROUND_UP(h.n_descsz, 4);
		if (at > (size_t)n)
			return;
		if (h.n_type != NT_GNU_BUILD_ID || h.n_namesz != 4 ||
		    memcmp(notes + name, "GNU", 4) || h.n_descsz * 2 >= size)
			continue;
		for (size_t i = 0; i < h.n_descsz; i++)
			snprintf(hex + 2 * i, 3, "%02x", notes[desc + i]);
		return;
	}
}

/* "always [madvise] never" to "madvise"; a plain value stays itself. */
static const char *selected(char *text)
{
	char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;

	if (!to)
		return text;
	*to = '\0';
	return from + 1;
}

/* The word selected in a file of THP_DIR; nothing where the kernel has no such file. */
static void write_selected(struct json *j, const char *file)
{
	char path[128], value[128];

	snprintf(path, sizeof(path), THP_DIR "/%s", file);
	if (!access(path, R_OK))
		json_str(j, file,
			 selected((char *)first_line(path, value, sizeof(value))));
}

static void write_thp(struct json *j)
{
	static const char *const files[] = { "enabled", "shmem_enabled", "defrag",
					     "khugepaged/defrag" };
	static const char *const each_size[] = { "enabled", "shmem_enabled" };
	char file[64];

	json_open(j, "thp", '{');
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		write_selected(j, files[i]);
	for (size_t size = 2 * base_page(); size <= pmd_size(); size *= 2) {
		for (unsigned int i = 0; i < ARRAY_SIZE(each_size); i++) {
			snprintf(file, sizeof(file), "hugepages-%zukB/%s", size / KIB,
				 each_size[i]);
			write_selected(j, file);
		}
	}
	json_close(j, '}');
}

static void write_hugepages(struct json *j)
{
	DIR *dir = opendir(HUGETLB_DIR);
	struct dirent *d;
	unsigned long kib;

	json_open(j, "hugepages", '[');
	while (dir && (d = readdir(dir))) {
		if (sscanf(d->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		json_open(j, NULL, '{');
		json_int(j, "size", kib * KIB);
		json_int(j, "total", hugetlb_pages(kib * KIB, "nr_hugepages"));
		json_int(j, "free", hugetlb_pages(kib * KIB, "free_hugepages"));
		json_close(j, '}');
	}
	if (dir)
		closedir(dir);
	json_close(j, ']');
}

static void write_uffd(struct json *j)
{
	struct uffd u;
	int err = uffd_open(&u, 0, 0);

	json_open(j, "uffd", '{');
	json_str(j, "route", err ? "none" : u.route);
	json_mask(j, "features", err ? 0 : u.offered);
	json_mask(j, "ioctls", err ? 0 : u.ioctls);
	json_close(j, '}');
	if (!err)
		uffd_close(&u);
}

static void write_uname(struct json *j)
{
	struct utsname u;

	uname(&u);
	json_open(j, "uname", '{');
	json_str(j, "sysname", u.sysname);
	json_str(j, "release", u.release);
	json_str(j, "version", u.version);
	json_str(j, "machine", u.machine);
	json_close(j, '}');
}

/* What only the host knows: a machine that counts instructions has no clock of its own.
 */
static void write_told(struct json *j, const struct options *o)
{
	if (o->start)
		json_str(j, "start", o->start);
	if (!o->qemu)
		return;
	json_open(j, "machine", '{');
	json_str(j, "qemu", o->qemu);
	json_int(j, "memory", o->memory);
	json_close(j, '}');
}

static void write_effort(struct json *j, const struct options *o)
{
	char text[32];

	json_int(j, "samples", o->samples);
	snprintf(text, sizeof(text), "%g", o->max_seconds);
	json_raw(j, "max_seconds", text);
}

int record_context(const struct options *o)
{
	char text[2048];
	struct json j;
	int err = record_begin(&j, o, "context");

	if (err)
		return err;
	write_uname(&j);
	write_told(&j, o);
	if (*first_line(BOOT_ID, text, sizeof(text)))
		json_str(&j, "boot_id", text);
	kernel_build_id(text, sizeof(text));
	if (*text)
		json_str(&j, "build_id", text);
	else
		json_raw(&j, "build_id", "null");
	json_str(&j, "cmdline", first_line("/proc/cmdline", text, sizeof(text)));
	json_str(&j, "cpu", cpu_model(text, sizeof(text)));
	json_int(&j, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_str(&j, "clock", o->tsc ? "tsc" : "raw");
	json_str(&j, "unit", o->tsc ? "instructions" : "ns");
	json_int(&j, "mem_total", number_after("/proc/meminfo", "MemTotal:") * KIB);
	json_int(&j, "page_size", base_page());
	write_thp(&j);
	write_hugepages(&j);
	write_uffd(&j);
	json_int(&j, "seed", o->seed);
	write_effort(&j, o);
	json_str(&j, "tool", "zapbench " ZAPBENCH_VERSION);
	json_open(&j, "argv", '[');
	for (int i = 0; i < o->argc; i++)
		json_str(&j, NULL, o->argv[i]);
	json_close(&j, ']');
	return json_end(&j, o->out);
}
