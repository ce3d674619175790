/* SPDX-License-Identifier: GPL-2.0-only */
/* The few x86-64 instructions that change where the rest is counted. */
#ifndef ZAPBENCH_PLUGIN_DECODE_H
#define ZAPBENCH_PLUGIN_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum insn_kind {
	INSN_PLAIN,
	INSN_CALL, /* near, direct or indirect */
	INSN_RET, /* near */
	INSN_IRET,
	INSN_SYSRET,
	INSN_HLT,
	INSN_RDTSCP,
};

enum insn_kind decode(const uint8_t *insn, size_t len);
uint64_t call_target(const uint8_t *insn, size_t len, uint64_t address);

#endif
