// SPDX-License-Identifier: GPL-2.0-only
/* One line of JSON, written by one write(2). */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"

static void separate(struct json *j, const char *key)
{
	fprintf(j->f, "%s", j->first ? "" : ",");
	j->first = false;
	if (key)
		fprintf(j->f, "\"%s\":", key);
}

/* Bytes that are no UTF-8 or no text come out as U+FFFD and \u escapes. */
static void quote(FILE *f, const char *text)
{
	fputc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(f, "\\u%04x", *p);
		else if (*p < 0x80)
			fputc(*p, f);
		else
			fputs("\\ufffd", f);
	}
	fputc('"', f);
}

void json_str(struct json *j, const char *key, const char *value)
{
	separate(j, key);
	quote(j->f, value);
}

void json_int(struct json *j, const char *key, long long value)
{
	separate(j, key);
	fprintf(j->f, "%lld", value);
}

void json_mask(struct json *j, const char *key, uint64_t value)
{
	separate(j, key);
	fprintf(j->f, "%llu", (unsigned long long)value);
}

void json_raw(struct json *j, const char *key, const char *json)
{
	separate(j, key);
	fputs(json, j->f);
}

void json_open(struct json *j, const char *key, char bracket)
{
	separate(j, key);
	fputc(bracket, j->f);
	j->first = true;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->f);
	j->first = false;
}

int json_begin(struct json *j)
{
	*j = (struct json){ .first = true };
	j->f = open_memstream(&j->line, &j->len);
	if (!j->f)
		return -ENOMEM;
	json_open(j, NULL, '{');
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
	return 0;
}

int json_end(struct json *j, int fd)
{
	int err;

	json_close(j, '}');
	fputc('\n', j->f);
	err = fclose(j->f) ? -ENOMEM : write_all(fd, j->line, j->len);
	free(j->line);
	return err;
}
