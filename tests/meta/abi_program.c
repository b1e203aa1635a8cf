/* A program as one that was built with the headers of 0.1 and is never built again: its declarations and numbers stand
 * here as 0.1 had them, and stay. tests/meta/abi.py links it against 0.1's interface and runs it with today's library.
 * Argument: an endpoint with one memcached, whose items it destroys. May include: libc alone. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef int32_t shoal_status;
typedef struct shoal_config shoal_config;
typedef struct shoal_option shoal_option;
typedef struct shoal_client shoal_client;
typedef struct shoal_value shoal_value;
typedef struct shoal_batch shoal_batch;
typedef struct shoal_topology shoal_topology;
typedef struct shoal_node shoal_node;
typedef struct shoal_stats shoal_stats;
typedef struct shoal_event shoal_event;
typedef struct shoal_error shoal_error;

const char *shoal_version(void);
const char *shoal_status_name(shoal_status);
shoal_status shoal_error_status(const shoal_error *);
const char *shoal_error_message(const shoal_error *);
const char *shoal_error_node(const shoal_error *);
int shoal_error_errno(const shoal_error *);
void shoal_error_free(shoal_error *);
shoal_status shoal_config_new(shoal_config **, shoal_error **);
shoal_status shoal_config_set(shoal_config *, const char *, const char *, shoal_error **);
shoal_status shoal_config_get(const shoal_config *, const char *, const char **, shoal_error **);
void shoal_config_free(shoal_config *);
const shoal_option *shoal_option_find(const char *);
const char *shoal_option_type(const shoal_option *);
const char *shoal_option_unit(const shoal_option *);
shoal_status shoal_client_new(const shoal_config *, shoal_client **, shoal_error **);
shoal_status shoal_client_shared(const shoal_config *, shoal_client **, shoal_error **);
void shoal_client_close(shoal_client *);
void shoal_client_free(shoal_client *);
void shoal_quiesce(void);
shoal_status shoal_get(shoal_client *, const char *, size_t, shoal_value **, shoal_error **);
shoal_status shoal_set(shoal_client *, const char *, size_t, const void *, size_t, int64_t, shoal_error **);
shoal_status shoal_store(shoal_client *, int, const char *, size_t, const void *, size_t, uint32_t, int64_t, uint64_t,
                         uint64_t *, shoal_error **);
shoal_status shoal_delete(shoal_client *, const char *, size_t, shoal_error **);
shoal_status shoal_touch(shoal_client *, const char *, size_t, int64_t, shoal_error **);
shoal_status shoal_get_and_touch(shoal_client *, const char *, size_t, int64_t, shoal_value **, shoal_error **);
shoal_status shoal_increment(shoal_client *, const char *, size_t, int64_t, const uint64_t *, int64_t, uint64_t *,
                             shoal_error **);
shoal_status shoal_flush_all(shoal_client *, shoal_error **);
const void *shoal_value_data(const shoal_value *);
size_t shoal_value_size(const shoal_value *);
uint32_t shoal_value_flags(const shoal_value *);
uint64_t shoal_value_cas(const shoal_value *);
void shoal_value_free(shoal_value *);
shoal_status shoal_batch_new(shoal_client *, shoal_batch **, shoal_error **);
shoal_status shoal_batch_get(shoal_batch *, const char *, size_t, shoal_error **);
shoal_status shoal_batch_store(shoal_batch *, int, const char *, size_t, const void *, size_t, uint32_t, int64_t,
                               uint64_t, shoal_error **);
shoal_status shoal_batch_delete(shoal_batch *, const char *, size_t, shoal_error **);
shoal_status shoal_batch_touch(shoal_batch *, const char *, size_t, int64_t, shoal_error **);
shoal_status shoal_batch_run(shoal_batch *, shoal_error **);
size_t shoal_batch_count(const shoal_batch *);
shoal_status shoal_batch_status(const shoal_batch *, size_t);
shoal_status shoal_batch_value(const shoal_batch *, size_t, const void **, size_t *, uint32_t *, uint64_t *);
const shoal_error *shoal_batch_error(const shoal_batch *, size_t);
void shoal_batch_clear(shoal_batch *);
void shoal_batch_free(shoal_batch *);
shoal_status shoal_client_topology(shoal_client *, shoal_topology **, shoal_error **);
uint64_t shoal_topology_version(const shoal_topology *);
size_t shoal_topology_node_count(const shoal_topology *);
const shoal_node *shoal_topology_node_at(const shoal_topology *, size_t);
void shoal_topology_free(shoal_topology *);
shoal_status shoal_route(shoal_client *, const char *, size_t, shoal_node **, shoal_error **);
const char *shoal_node_name(const shoal_node *);
uint16_t shoal_node_port(const shoal_node *);
void shoal_node_free(shoal_node *);
shoal_status shoal_stats_read(shoal_client *, const char *, shoal_stats **, shoal_error **);
size_t shoal_stats_node_count(const shoal_stats *);
shoal_status shoal_stats_node_status(const shoal_stats *, size_t);
size_t shoal_stats_count(const shoal_stats *, size_t);
const char *shoal_stats_name(const shoal_stats *, size_t, size_t);
void shoal_stats_free(shoal_stats *);
shoal_status shoal_client_next_event(shoal_client *, shoal_event **, shoal_error **);
int shoal_event_kind(const shoal_event *);
void shoal_event_free(shoal_event *);

static int faults;

#define EXPECT(condition) \
    ((condition) ? (void)0 : (void)(faults++, printf("line %d: not so: %s\n", __LINE__, #condition)))

static shoal_client *make_client(const char *endpoint) {
    shoal_config *config = NULL;
    shoal_client *client = NULL;
    shoal_client *shared = NULL;
    shoal_error *error = NULL;
    const char *text = NULL;
    EXPECT(shoal_config_new(&config, NULL) == 0);
    EXPECT(shoal_config_set(config, "no such option", "1", &error) == -3);
    EXPECT(shoal_error_status(error) == -3 && shoal_error_message(error)[0] && !shoal_error_node(error));
    EXPECT(shoal_error_errno(error) == 0);
    shoal_error_free(error);
    EXPECT(shoal_config_set(config, "endpoint", endpoint, NULL) == 0);
    EXPECT(shoal_config_set(config, "operation_timeout_ms", "20000", NULL) == 0);
    EXPECT(shoal_config_get(config, "endpoint", &text, NULL) == 0 && strcmp(text, endpoint) == 0);
    EXPECT(strcmp(shoal_option_type(shoal_option_find("operation_timeout_ms")), "integer") == 0);
    EXPECT(strcmp(shoal_option_unit(shoal_option_find("operation_timeout_ms")), "ms") == 0);
    EXPECT(shoal_client_shared(config, &shared, NULL) == 0);
    shoal_client_free(shared);
    EXPECT(shoal_client_new(config, &client, NULL) == 0);
    shoal_config_free(config);
    return client;
}

static void look_around(shoal_client *client) {
    shoal_topology *topology = NULL;
    shoal_node *node = NULL;
    shoal_stats *stats = NULL;
    shoal_event *event = NULL;
    EXPECT(shoal_client_topology(client, &topology, NULL) == 0);
    EXPECT(shoal_topology_version(topology) == 0 && shoal_topology_node_count(topology) == 1);
    EXPECT(shoal_route(client, "key", 3, &node, NULL) == 0 && shoal_node_port(node) == 0);
    EXPECT(strcmp(shoal_node_name(node), shoal_node_name(shoal_topology_node_at(topology, 0))) == 0);
    shoal_node_free(node);
    shoal_topology_free(topology);
    EXPECT(shoal_stats_read(client, NULL, &stats, NULL) == 0);
    EXPECT(shoal_stats_node_count(stats) == 1 && shoal_stats_node_status(stats, 0) == 0);
    EXPECT(shoal_stats_count(stats, 0) > 10 && strcmp(shoal_stats_name(stats, 0, 0), "pid") == 0);
    shoal_stats_free(stats);
    while (shoal_client_next_event(client, &event, NULL) == 0) {
        EXPECT(shoal_event_kind(event) > 0);
        shoal_event_free(event);
    }
    EXPECT(event == NULL);
}

static void store_and_read(shoal_client *client) {
    shoal_value *value = NULL;
    uint64_t cas = 0;
    EXPECT(shoal_flush_all(client, NULL) == 0);
    EXPECT(shoal_get(client, "a", 1, &value, NULL) == 1 && value == NULL);
    EXPECT(shoal_store(client, 2, "a", 1, "no", 2, 0, 60, 0, NULL, NULL) == 2);
    EXPECT(shoal_store(client, 1, "a", 1, "one", 3, 0xfeed, 60, 0, &cas, NULL) == 0 && cas != 0);
    EXPECT(shoal_store(client, 1, "a", 1, "two", 3, 0, 60, 0, NULL, NULL) == 2);
    EXPECT(shoal_store(client, 5, "a", 1, "two", 3, 0, 60, cas + 1, NULL, NULL) == 3);
    EXPECT(shoal_store(client, 3, "a", 1, ">", 1, 0, 60, 0, NULL, NULL) == 0);
    EXPECT(shoal_store(client, 4, "a", 1, "<", 1, 0, 60, 0, NULL, NULL) == 0);
    EXPECT(shoal_get(client, "a", 1, &value, NULL) == 0);
    EXPECT(shoal_value_size(value) == 5 && memcmp(shoal_value_data(value), "<one>", 5) == 0);
    EXPECT(shoal_value_flags(value) == 0xfeed && shoal_value_cas(value) != cas);
    EXPECT(shoal_store(client, 5, "a", 1, "cas", 3, 0, 60, shoal_value_cas(value), NULL, NULL) == 0);
    shoal_value_free(value);
    EXPECT(shoal_touch(client, "a", 1, 60, NULL) == 0);
    EXPECT(shoal_get_and_touch(client, "a", 1, -1, &value, NULL) == 0 && shoal_value_size(value) == 3);
    shoal_value_free(value);
    EXPECT(shoal_delete(client, "a", 1, NULL) == 1);
    EXPECT(shoal_set(client, "a", 1, "NaN", 3, 60, NULL) == 0);
    EXPECT(shoal_delete(client, "a", 1, NULL) == 0);
}

static void count(shoal_client *client) {
    uint64_t number = 0;
    const uint64_t initial = 40;
    EXPECT(shoal_increment(client, "n", 1, 2, NULL, 0, &number, NULL) == 1);
    EXPECT(shoal_increment(client, "n", 1, 2, &initial, 60, &number, NULL) == 0 && number == 40);
    EXPECT(shoal_increment(client, "n", 1, 2, &initial, 60, &number, NULL) == 0 && number == 42);
    EXPECT(shoal_increment(client, "n", 1, -43, NULL, 0, &number, NULL) == 0 && number == 0);
    EXPECT(shoal_set(client, "n", 1, "none", 4, 60, NULL) == 0);
    EXPECT(shoal_increment(client, "n", 1, 1, NULL, 0, NULL, NULL) == -7);
}

static void run_batch(shoal_client *client) {
    shoal_batch *batch = NULL;
    const void *data = NULL;
    size_t size = 0;
    uint32_t flags = 0;
    uint64_t cas = 0;
    EXPECT(shoal_batch_new(client, &batch, NULL) == 0);
    EXPECT(shoal_batch_store(batch, 0, "b", 1, "batch", 5, 7, 60, 0, NULL) == 0);
    EXPECT(shoal_batch_get(batch, "b", 1, NULL) == 0 && shoal_batch_get(batch, "a b", 3, NULL) == 0);
    EXPECT(shoal_batch_touch(batch, "b", 1, 60, NULL) == 0 && shoal_batch_delete(batch, "c", 1, NULL) == 0);
    EXPECT(shoal_batch_run(batch, NULL) == 6 && shoal_batch_count(batch) == 5);
    EXPECT(shoal_batch_value(batch, 1, &data, &size, &flags, &cas) == 0);
    EXPECT(size == 5 && data && memcmp(data, "batch", 5) == 0 && flags == 7 && cas != 0);
    EXPECT(shoal_batch_status(batch, 2) == -5 && shoal_error_status(shoal_batch_error(batch, 2)) == -5);
    EXPECT(shoal_batch_status(batch, 3) == 0 && shoal_batch_status(batch, 4) == 1);
    shoal_batch_clear(batch);
    EXPECT(shoal_batch_count(batch) == 0);
    shoal_batch_free(batch);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 64;
    EXPECT(shoal_version()[0] == '0' && strcmp(shoal_status_name(-9), "SHOAL_E_TIMEOUT") == 0);
    shoal_client *client = make_client(argv[1]);
    look_around(client);
    store_and_read(client);
    count(client);
    run_batch(client);
    shoal_quiesce();
    shoal_client_close(client);
    EXPECT(shoal_delete(client, "a", 1, NULL) == -8);
    shoal_client_free(client);
    return faults != 0;
}
