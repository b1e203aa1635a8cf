/* Runs the conformance cases of cases.txt, whose head describes them, through the public interface alone on a fleet of
 * three memcached servers that it starts: run_cases PROTOCOL cases.txt. Fails where a case does or a line is unclear.
 * May include: libc, the public headers, steps.h, support/. */
#include "steps.h"

#include "support/fleets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 4096
#define ITEMS_MAX 64
#define NODES 3

struct runner {
    struct test_fleet fleet;
    const char *protocol;
    const char *file;
    shoal_client *client;
    struct tokens tokens;
    struct step batch; /* the line `batch -> STATUS` whose items are being read */
    struct step items[ITEMS_MAX];
    size_t item_count;
    bool in_batch;
    bool case_failed; /* the rest of the case is passed over */
    char title[200];
    unsigned line;
    unsigned cases;
    unsigned failed_cases;
    unsigned unclear; /* lines that do not keep to the grammar */
};

/* --- Telling --- */

static void tell(const struct runner *runner, unsigned line, const char *reason) {
    printf("%s:%u: case %s: %s\n", runner->file, line, runner->title, reason);
}

static void fail_case(struct runner *runner, unsigned line, const char *reason) {
    tell(runner, line, reason);
    runner->failed_cases += !runner->case_failed;
    runner->case_failed = true;
}

static void refuse(struct runner *runner, const char *reason) {
    tell(runner, runner->line, reason);
    runner->unclear++;
}

static void fail_step(struct runner *runner, const struct step *step, const char *reason) {
    char expected[80] = "";
    size_t used = 0;
    for (size_t i = step->arrow + 1; i < step->words.count && used < sizeof(expected); i++)
        used += (size_t)snprintf(expected + used, sizeof(expected) - used, " %.40s", step->words.at[i].bytes);
    char whole[REASON_SIZE + sizeof(expected) + 32];
    snprintf(whole, sizeof(whole), "%s expected%s; %s", step->words.at[step->first].bytes, expected, reason);
    fail_case(runner, step->line, whole);
}

/* --- Batches --- */

static shoal_status run_items(struct runner *runner, shoal_batch *batch) {
    char reason[REASON_SIZE] = "";
    for (size_t i = 0; i < runner->item_count; i++) {
        if (!step_add(&runner->items[i], batch, &runner->tokens, reason)) {
            fail_step(runner, &runner->items[i], reason);
            return SHOAL_E_INVALID;
        }
    }
    return shoal_batch_run(batch, NULL);
}

static void check_items(struct runner *runner, const shoal_batch *batch, shoal_status status) {
    char reason[REASON_SIZE] = "";
    for (size_t i = 0; i < runner->item_count; i++)
        if (!step_check_item(&runner->items[i], batch, i, &runner->tokens, reason))
            fail_step(runner, &runner->items[i], reason);
    if (!status_is(status, runner->batch.words.at[runner->batch.arrow + 1].bytes)) {
        snprintf(reason, sizeof(reason), "came %s", shoal_status_name(status));
        fail_step(runner, &runner->batch, reason);
    }
}

/* Runs the batch whose last item was read, if there is one. */
static void end_batch(struct runner *runner) {
    if (!runner->in_batch)
        return;
    shoal_batch *batch = NULL;
    if (!runner->case_failed && shoal_batch_new(runner->client, &batch, NULL) == SHOAL_OK) {
        shoal_status status = run_items(runner, batch);
        if (!runner->case_failed)
            check_items(runner, batch, status);
    }
    shoal_batch_free(batch);
    for (size_t i = 0; i < runner->item_count; i++)
        words_free(&runner->items[i].words);
    words_free(&runner->batch.words);
    runner->item_count = 0;
    runner->in_batch = false;
}

/* --- Lines --- */

/* The client of the steps that follow: `options` are name=value words behind the first. */
static void use_client(struct runner *runner, const struct words *options) {
    char text[512];
    size_t used = (size_t)snprintf(text, sizeof(text), "operation_timeout_ms=20000&protocol=%s", runner->protocol);
    for (size_t i = 1; i < options->count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "&%s", options->at[i].bytes);
    shoal_client *client = used < sizeof(text) ? test_client(runner->fleet.endpoint, text) : NULL;
    if (client == NULL) {
        refuse(runner, "the options are too long");
        return;
    }
    shoal_client_free(runner->client);
    runner->client = client;
}

static void begin_case(struct runner *runner, const char *title) {
    const struct words none = {.count = 0};
    snprintf(runner->title, sizeof(runner->title), "%s", title);
    runner->cases++;
    runner->case_failed = false;
    runner->tokens.count = 0;
    use_client(runner, &none);
    if (shoal_flush_all(runner->client, NULL) != SHOAL_OK)
        fail_case(runner, runner->line, "the fleet could not be emptied");
}

static void wait_seconds(struct runner *runner, const struct words *words) {
    int64_t seconds = 0;
    if (words->count != 2 || !read_signed(words->at[1].bytes, &seconds) || seconds < 1 || seconds > 60)
        refuse(runner, "sleep takes a number of seconds");
    else if (!runner->case_failed)
        test_sleep_ms((int)seconds * 1000);
}

/* Keeps an item, or the head of a batch, until the batch is run: its words are the keeper's then. */
static void keep_item(struct runner *runner, struct step *step) {
    char reason[REASON_SIZE] = "";
    if (!runner->in_batch || runner->item_count == ITEMS_MAX)
        refuse(runner, "an item without a batch, or one too many");
    else if (!step_read(step, 1, reason))
        refuse(runner, reason);
    else {
        runner->items[runner->item_count++] = *step;
        step->words.count = 0;
    }
}

static void begin_batch(struct runner *runner, struct step *step) {
    if (step->words.count != 3 || !word_is(&step->words.at[1], "->")) {
        refuse(runner, "a batch is written batch -> STATUS");
        return;
    }
    step->arrow = 1;
    runner->batch = *step;
    runner->in_batch = true;
    step->words.count = 0;
}

static void run_step(struct runner *runner, struct step *step) {
    char reason[REASON_SIZE] = "";
    if (!step_read(step, 0, reason))
        refuse(runner, reason);
    else if (!runner->case_failed && !step_run(step, runner->client, &runner->tokens, reason))
        fail_step(runner, step, reason);
}

static void run_words(struct runner *runner, struct step *step) {
    const struct word *first = &step->words.at[0];
    if (word_is(first, "+")) {
        keep_item(runner, step);
        return;
    }
    end_batch(runner);
    if (word_is(first, "with"))
        use_client(runner, &step->words);
    else if (word_is(first, "sleep"))
        wait_seconds(runner, &step->words);
    else if (word_is(first, "batch"))
        begin_batch(runner, step);
    else
        run_step(runner, step);
}

static void run_line(struct runner *runner, const char *line) {
    struct step step = {.line = runner->line};
    line += strspn(line, " ");
    if (*line == '\0' || *line == '#')
        return;
    if (strncmp(line, "case ", 5) == 0) {
        end_batch(runner);
        begin_case(runner, line + 5);
        return;
    }
    if (runner->cases == 0)
        refuse(runner, "a step before the first case");
    else if (!words_read(&step.words, line))
        refuse(runner, "the words cannot be read: quotes, escapes, or too many");
    else
        run_words(runner, &step);
    words_free(&step.words);
}

static bool run_file(struct runner *runner) {
    char line[LINE_SIZE];
    FILE *file = fopen(runner->file, "r");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *end = strchr(line, '\n');
        runner->line++;
        if (end == NULL) {
            refuse(runner, "the line is too long, or has no end");
            break;
        }
        *end = '\0';
        run_line(runner, line);
    }
    end_batch(runner);
    fclose(file);
    return true;
}

int main(int argc, char **argv) {
    static struct runner runner;
    if (argc != 3) {
        fprintf(stderr, "usage: run_cases PROTOCOL CASES\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    runner.protocol = argv[1];
    runner.file = argv[2];
    test_fleet_start(&runner.fleet, NODES);
    bool was_read = run_file(&runner);
    shoal_client_free(runner.client);
    test_fleet_stop(&runner.fleet);
    printf("protocol=%s: %u cases, %u failed, %u unclear lines\n", runner.protocol, runner.cases, runner.failed_cases,
           runner.unclear);
    return was_read && runner.cases > 0 && runner.failed_cases == 0 && runner.unclear == 0 ? 0 : 1;
}
