// SPDX-License-Identifier: GPL-2.0-only
/* Whatever bytes go in, one line of JSON comes out; what cannot be written is told. */
#include <fcntl.h>
#include <unistd.h>

#include "../json.h"
#include "t.h"

static const char LINE[] =
	"{\"plain\":\"a "
	"b/c\",\"quoted\":\"\\\"\\\\\",\"control\":\"\\u0001\\u000a\\u007f\","
	"\"no text\":\"\\ufffd\\ufffdz\",\"least\":-9223372036854775808,"
	"\"all "
	"bits\":18446744073709551615,\"nested\":[1,{\"deep\":0},null],\"empty\":{}}\n";

static void fill(struct json *j)
{
	json_str(j, "plain", "a b/c");
	json_str(j, "quoted", "\"\\");
	json_str(j, "control", "\x01\n\x7f");
	json_str(j, "no text", "\xff\x80z");
	json_int(j, "least", INT64_MIN);
	json_mask(j, "all bits", UINT64_MAX);
	json_open(j, "nested", '[');
	json_int(j, NULL, 1);
	json_open(j, NULL, '{');
	json_int(j, "deep", 0);
	json_close(j, '}');
	json_raw(j, NULL, "null");
	json_close(j, ']');
	json_open(j, "empty", '{');
	json_close(j, '}');
}

int main(void)
{
	char got[2 * sizeof(LINE)] = "";
	struct json j;
	int ends[2], full;

	CHECK(!pipe(ends));
	CHECK_EQ(json_begin(&j), 0);
	fill(&j);
	CHECK_EQ(json_end(&j, ends[1]), 0);
	CHECK_EQ(read(ends[0], got, sizeof(got) - 1), sizeof(LINE) - 1);
	CHECK_STR(got, LINE);

	full = open("/dev/full", O_WRONLY);
	CHECK(full >= 0);
	CHECK_EQ(json_begin(&j), 0);
	CHECK_EQ(json_end(&j, full), -ENOSPC);
	return 0;
}
