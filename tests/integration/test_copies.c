/* Copies of the library in one process: loaded by dlopen, unloaded with clients alive, used side by side and across
 * fork, as where a package brings its own beside the system's.
 * May include: the public headers, support/. Each test has a process of its own, judged by its exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fleets.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test_fleet fleet;

static int start(void **state) {
    (void)state;
    test_fleet_start(&fleet, 2);
    return 0;
}

static int stop(void **state) {
    (void)state;
    test_fleet_stop(&fleet);
    return 0;
}

/* --- A copy, and what is used of it --- */

struct copy {
    char path[64];
    void *handle;
    __typeof__(&shoal_config_new) config_new;
    __typeof__(&shoal_config_set) config_set;
    __typeof__(&shoal_config_free) config_free;
    __typeof__(&shoal_client_new) client_new;
    __typeof__(&shoal_client_free) client_free;
    __typeof__(&shoal_set) set;
    __typeof__(&shoal_get) get;
    __typeof__(&shoal_value_data) value_data;
    __typeof__(&shoal_value_size) value_size;
    __typeof__(&shoal_value_free) value_free;
    shoal_client *client;
};

/* The file that this program's own copy came from. */
static bool find_library(char *path, size_t room) {
    char line[1024];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && !found && fgets(line, sizeof(line), maps) != NULL) {
        const char *begin = strchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        found = begin != NULL && strstr(begin, "/libshoal.so") != NULL;
        if (found)
            snprintf(path, room, "%s", begin);
    }
    if (maps != NULL)
        fclose(maps);
    return found;
}

static bool copy_file(const char *from, const char *to) {
    char block[65536];
    size_t size;
    bool fine = true;
    FILE *source = fopen(from, "rbe");
    FILE *target = fopen(to, "wbe");
    while (source != NULL && target != NULL && (size = fread(block, 1, sizeof(block), source)) > 0)
        fine = fine && fwrite(block, 1, size, target) == size;
    fine = fine && source != NULL && target != NULL;
    if (source != NULL)
        fclose(source);
    if (target != NULL)
        fine = fclose(target) == 0 && fine;
    return fine;
}

static bool find_symbol(const struct copy *copy, const char *name, void *function) {
    void *symbol = dlsym(copy->handle, name);
    memcpy(function, &symbol, sizeof(symbol)); /* ISO C knows no cast for it */
    return symbol != NULL;
}

static bool load(struct copy *copy, int number) {
    char library[512];
    snprintf(copy->path, sizeof(copy->path), "/tmp/shoal-test-%d-%d.so", (int)getpid(), number);
    if (!find_library(library, sizeof(library)) || !copy_file(library, copy->path))
        return false;
    copy->handle = dlopen(copy->path, RTLD_NOW | RTLD_LOCAL);
    unlink(copy->path);
    return copy->handle != NULL && find_symbol(copy, "shoal_config_new", &copy->config_new) &&
           find_symbol(copy, "shoal_config_set", &copy->config_set) &&
           find_symbol(copy, "shoal_config_free", &copy->config_free) &&
           find_symbol(copy, "shoal_client_new", &copy->client_new) &&
           find_symbol(copy, "shoal_client_free", &copy->client_free) && find_symbol(copy, "shoal_set", &copy->set) &&
           find_symbol(copy, "shoal_get", &copy->get) && find_symbol(copy, "shoal_value_data", &copy->value_data) &&
           find_symbol(copy, "shoal_value_size", &copy->value_size) &&
           find_symbol(copy, "shoal_value_free", &copy->value_free);
}

static bool begin(struct copy *copy, const char *endpoint, const char *prefix) {
    shoal_config *config = NULL;
    bool fine = copy->config_new(&config, NULL) == SHOAL_OK &&
                copy->config_set(config, "endpoint", endpoint, NULL) == SHOAL_OK &&
                copy->config_set(config, "key_prefix", prefix, NULL) == SHOAL_OK &&
                copy->config_set(config, "operation_timeout_ms", "60000", NULL) == SHOAL_OK &&
                copy->config_set(config, "discovery_interval_ms", "10", NULL) == SHOAL_OK &&
                copy->client_new(config, &copy->client, NULL) == SHOAL_OK;
    copy->config_free(config);
    return fine;
}

/* The same keys for every copy: their prefixes keep them apart. */
static bool use(const struct copy *copy, const char *text) {
    bool fine = true;
    char key[32];
    for (int i = 0; i < 20; i++) {
        shoal_value *value = NULL;
        size_t size = (size_t)snprintf(key, sizeof(key), "copy-%d", i);
        fine = fine && copy->set(copy->client, key, size, text, strlen(text), 0, NULL) == SHOAL_OK &&
               copy->get(copy->client, key, size, &value, NULL) == SHOAL_OK &&
               copy->value_size(value) == strlen(text) && memcmp(copy->value_data(value), text, strlen(text)) == 0;
        copy->value_free(value);
    }
    return fine;
}

static struct test_endpoint *announce(void) {
    struct test_endpoint *endpoint = test_endpoint_start();
    test_fleet_announce(&fleet, endpoint, 1);
    return endpoint;
}

static int verdict(pid_t process) {
    int status = -1;
    if (process < 0 || waitpid(process, &status, 0) != process)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int live(int (*life)(void)) {
    fflush(NULL);
    pid_t process = fork();
    if (process == 0)
        exit(life());
    return verdict(process);
}

/* --- What may be done with them --- */

static struct copy one;
static struct copy other;

static int unload_with_a_live_client(void) {
    struct test_endpoint *endpoint = announce();
    if (!load(&one, 1) || !begin(&one, test_endpoint_name(endpoint), "one:") || !use(&one, "text"))
        return 1;
    if (dlclose(one.handle) != 0 || !test_polled(endpoint, 3))
        return 2; /* the library's thread goes on, in code that must still be there */
    return use(&one, "text") ? 0 : 3;
}

static void a_library_stays_when_it_is_unloaded(void **state) {
    (void)state;
    assert_int_equal(live(unload_with_a_live_client), 0);
}

static int reload(void) {
    struct test_endpoint *endpoint = announce();
    for (int i = 0; i < 5; i++) {
        if (!load(&one, i) || !begin(&one, test_endpoint_name(endpoint), "one:") || !use(&one, "text"))
            return 1;
        one.client_free(one.client);
        dlclose(one.handle);
    }
    return 0;
}

static void a_library_may_be_loaded_again(void **state) {
    (void)state;
    assert_int_equal(live(reload), 0);
}

/* Two loaded ones, and the one that this program is linked to. */
static int use_three(void) {
    struct test_endpoint *endpoint = announce();
    shoal_client *linked = test_client(test_endpoint_name(endpoint), "operation_timeout_ms=60000");
    if (!load(&one, 1) || !load(&other, 2) || !begin(&one, test_endpoint_name(endpoint), "one:") ||
        !begin(&other, test_endpoint_name(endpoint), "other:"))
        return 1;
    for (int i = 0; i < 20; i++)
        if (!use(&one, "text of one") || !use(&other, "text of the other") ||
            test_set(linked, "copy-0", "text of the third") != SHOAL_OK ||
            !test_holds(linked, "copy-0", "text of the third"))
            return 2;
    one.client_free(one.client);
    if (!use(&other, "text") || !test_holds(linked, "copy-0", "text of the third"))
        return 3;
    other.client_free(other.client);
    shoal_client_free(linked);
    return 0;
}

static void copies_do_not_disturb_each_other(void **state) {
    (void)state;
    assert_int_equal(live(use_three), 0);
}

static int fork_two(void) {
    struct test_endpoint *endpoint = announce();
    if (!load(&one, 1) || !load(&other, 2) || !begin(&one, test_endpoint_name(endpoint), "one:") ||
        !begin(&other, test_endpoint_name(endpoint), "other:") || !use(&one, "a") || !use(&other, "b"))
        return 1;
    pid_t child = fork();
    if (child == 0) {
        one.client_free(one.client); /* what a child does to one is nothing to the other */
        _exit(!use(&other, "b"));
    }
    bool fine = true;
    for (int i = 0; i < 20; i++)
        fine = fine && use(&one, "a") && use(&other, "b");
    return verdict(child) != 0 || !fine;
}

static void copies_survive_a_fork(void **state) {
    (void)state;
    if (!test_child_may_start_threads())
        skip();
    assert_int_equal(live(fork_two), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_stays_when_it_is_unloaded),
        cmocka_unit_test(a_library_may_be_loaded_again),
        cmocka_unit_test(copies_do_not_disturb_each_other),
        cmocka_unit_test(copies_survive_a_fork),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
