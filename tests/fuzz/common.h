/* What the fuzz targets share: a check that ends the run, copies of the input, and what holds for every node and every
 * fault, said a second time and independently of the code under test.
 * May include: base/, node_list. */
#ifndef TESTS_FUZZ_COMMON_H
#define TESTS_FUZZ_COMMON_H

#include "base/error.h"
#include "logic/node_list.h"

#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls it with every input; nothing may stay behind from one to the next.
 * NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where the condition does not hold; libFuzzer then keeps the input. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/* A copy that ends where the bytes do, so that AddressSanitizer sees a read beyond them. The caller's. */
char *fuzz_copy(const void *bytes, size_t size);

/* The same with a NUL behind it; what follows a NUL in the bytes is not seen by its reader. */
char *fuzz_text(const void *bytes, size_t size);

/* A digit for a digit, a letter for a letter, hex for hex: another secret of the same form. */
char fuzz_other_byte(char byte);

/* Fit for an error: a status, one line of printable ASCII. */
void fuzz_check_fault(const struct shoal__fault *fault, shoal_status status);

/* A name or an address that may be connected to. */
void fuzz_check_host(const char *host);
bool fuzz_is_address(const char *text);

/* No node stands twice, no text is missing. */
void fuzz_check_list(const struct shoal__node_list *list);
void fuzz_check_empty(const struct shoal__node_list *list);
void fuzz_check_same_list(const struct shoal__node_list *a, const struct shoal__node_list *b);

#endif
