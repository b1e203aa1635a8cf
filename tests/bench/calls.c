/* The calls that the benchmark of a language's package makes, made by a loop in C: what the package costs beyond them.
 * A module, which the benchmark loads. A mistake ends the process with a line on stderr.
 * May include: floor_load, floor_shoal. Called by tests/bench/packages/in_c.py. */
#include "floor_load.h"
#include "floor_shoal.h"

#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

struct calls {
    struct ours *ours;
    struct load load;
};

EXPORTED struct calls *calls_new(const char *endpoint, size_t keys, size_t value_size);
EXPORTED void calls_run(struct calls *calls, const char *operation, int repetitions);
EXPORTED void calls_free(struct calls *calls);

/* The keys hold values when it returns. */
struct calls *calls_new(const char *endpoint, size_t keys, size_t value_size) {
    struct calls *calls = calloc(1, sizeof(*calls));
    if (calls == NULL)
        give_up("out of memory");
    calls->ours = ours_new(endpoint, "auto");
    calls->load = load_new(keys, value_size);
    ours_set_many(calls->ours, &calls->load);
    ours_check(calls->ours, &calls->load);
    return calls;
}

/* operation: "get", "set", "get_many" or "set_many". */
void calls_run(struct calls *calls, const char *operation, int repetitions) {
    static const struct {
        const char *name;
        void (*call)(struct ours *, struct load *);
    } operations[] = {
        {"get", ours_get},
        {"set", ours_set},
        {"get_many", ours_get_many},
        {"set_many", ours_set_many},
    };
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        for (int j = 0; strcmp(operations[i].name, operation) == 0 && j < repetitions; j++)
            operations[i].call(calls->ours, &calls->load);
}

void calls_free(struct calls *calls) {
    ours_free(calls->ours);
    load_clear(&calls->load);
    free(calls);
}
