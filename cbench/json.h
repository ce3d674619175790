/* SPDX-License-Identifier: GPL-2.0-only */
/* One line of JSON, written by one write(2). */
#ifndef ZAPBENCH_JSON_H
#define ZAPBENCH_JSON_H

#include <stdio.h>

#include "zapbench.h"

struct json {
	FILE *f;
	char *line;
	size_t len;
	bool first;
};

int json_begin(struct json *j);
int json_end(struct json *j, int fd);
void json_str(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, long long value);
void json_mask(struct json *j, const char *key, uint64_t value);
void json_raw(struct json *j, const char *key, const char *json);
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);

#endif
