/* JSON as the commands print it: one line, bytes as text where they are UTF-8, else in base64.
 * May include: libc, jansson. Called by the commands. */
#ifndef SHOAL_CLI_JSON_H
#define SHOAL_CLI_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All of these end the process where memory runs out. */

json_t *json_new_object(void);
json_t *json_new_array(void);

/* Puts a new reference into an object. */
void json_put(json_t *object, const char *name, json_t *value);
void json_put_text(json_t *object, const char *name, const char *text);

/* A number; beyond 2^63 - 1, which jansson cannot hold, the same digits as a string. */
void json_put_unsigned(json_t *object, const char *name, uint64_t number);

/* Under NAME where the bytes are UTF-8, else as base64 under NAME_base64. */
void json_put_bytes(json_t *object, const char *name, const void *data, size_t size);

void json_append(json_t *array, json_t *value);

/* Prints one line, on stdout or elsewhere, and gives the value back. */
void json_print(json_t *value);
void json_write(FILE *file, json_t *value);

#endif
