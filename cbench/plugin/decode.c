// SPDX-License-Identifier: GPL-2.0-only
/* Intel SDM volume 2: legacy prefixes, then REX, then the opcode. */
#include <stdbool.h>
#include <string.h>

#include "decode.h"

static bool is_prefix(uint8_t byte)
{
	return byte == 0xf2 || byte == 0xf3 || byte == 0x66 || byte == 0x67 ||
	       byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e ||
	       byte == 0x64 || byte == 0x65 || byte == 0xf0;
}

enum insn_kind decode(const uint8_t *insn, size_t len)
{
	const uint8_t *end = insn + len;
	size_t left;

	while (insn < end && is_prefix(*insn))
		insn++;
	if (insn < end && (*insn & 0xf0) == 0x40)
		insn++;
	left = end - insn;
	if (!left)
		return INSN_PLAIN;
	if (insn[0] == 0xe8 || (left > 1 && insn[0] == 0xff && (insn[1] >> 3 & 7) == 2))
		return INSN_CALL;
	if (insn[0] == 0xc3 || insn[0] == 0xc2)
		return INSN_RET;
	if (insn[0] == 0xcf)
		return INSN_IRET;
	if (insn[0] == 0xf4)
		return INSN_HLT;
	if (left > 1 && insn[0] == 0x0f && insn[1] == 0x07)
		return INSN_SYSRET;
	if (left > 2 && insn[0] == 0x0f && insn[1] == 0x01 && insn[2] == 0xf9)
		return INSN_RDTSCP;
	return INSN_PLAIN;
}

/* Where a direct call without prefixes goes; 0: it is none. */
uint64_t call_target(const uint8_t *insn, size_t len, uint64_t address)
{
	int32_t offset;

	if (len != 5 || insn[0] != 0xe8)
		return 0;
	memcpy(&offset, insn + 1, sizeof(offset));
	return address + len + offset;
}
