// SPDX-License-Identifier: GPL-2.0-only
/* The instructions that the plugin of QEMU looks for, with and without prefixes. */
#include "plugin/decode.h"
#include "t.h"

static const struct {
	uint8_t bytes[8];
	unsigned int len;
	enum insn_kind kind;
} rows[] = {
	{ { 0xe8, 1, 0, 0, 0 }, 5, INSN_CALL },
	{ { 0xff, 0xd0 }, 2, INSN_CALL }, /* call *%rax */
	{ { 0x41, 0xff, 0xd3 }, 3, INSN_CALL }, /* call *%r11 */
	{ { 0x2e, 0xe8, 1, 0, 0, 0 }, 6, INSN_CALL }, /* padded by a prefix */
	{ { 0xff, 0xe0 }, 2, INSN_PLAIN }, /* jmp *%rax */
	{ { 0xff, 0xc0 }, 2, INSN_PLAIN }, /* inc %eax */
	{ { 0xc3 }, 1, INSN_RET },
	{ { 0xf3, 0xc3 }, 2, INSN_RET },
	{ { 0x48, 0xcf }, 2, INSN_IRET },
	{ { 0x48, 0x0f, 0x07 }, 3, INSN_SYSRET },
	{ { 0x0f, 0x05 }, 2, INSN_PLAIN }, /* syscall */
	{ { 0xf4 }, 1, INSN_HLT },
	{ { 0x0f, 0x01, 0xf9 }, 3, INSN_RDTSCP },
	{ { 0x0f, 0x01, 0xf8 }, 3, INSN_PLAIN }, /* swapgs */
	{ { 0x66, 0x90 }, 2, INSN_PLAIN },
	{ { 0xe8 }, 0, INSN_PLAIN },
	{ { 0x66 }, 1, INSN_PLAIN },
};

int main(void)
{
	static const uint8_t back[] = { 0xe8, 0xfb, 0xff, 0xff, 0xff };

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(decode(rows[i].bytes, rows[i].len), rows[i].kind);
	CHECK_EQ(call_target(back, sizeof(back), 0x401000), 0x401000);
	CHECK_EQ(call_target(rows[1].bytes, 2, 0x401000), 0);
	return 0;
}
