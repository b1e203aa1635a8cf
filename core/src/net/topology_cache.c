/* The file of topology_cache on disk. It is opened without following a link, and believed only where it is a plain file
 * that belongs to this process's user or to root, and that nobody else may write.
 * May include: base/, cluster_parse, topology_file, fork. */
#define _GNU_SOURCE /* NOLINT(readability-identifier-naming): locks by open file description, mkostemp */

#include "net/topology_cache.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the path and what is put behind it. */
#define PATH_SIZE 4096

struct boot_id {
    char text[64];
};

void shoal__topology_cache_init(struct shoal__topology_cache *cache, const char *path, const char *identity) {
    *cache = (struct shoal__topology_cache){.path = strcmp(path, "off") == 0 ? NULL : path, .lock_fd = -1};
    shoal__topology_file_digest(identity, strlen(identity), cache->key);
}

/* --- The file as it lies there --- */

static bool is_ours(const struct stat *status) {
    return S_ISREG(status->st_mode) && (status->st_uid == geteuid() || status->st_uid == 0) &&
           (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static shoal_status distrust(struct shoal__fault *fault, const char *path, const struct stat *status) {
    if (!S_ISREG(status->st_mode))
        return shoal__fault_set(fault, SHOAL_E_DISCOVERY, "topology_cache %s is ignored: it is not a regular file",
                                path);
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return shoal__fault_set(fault, SHOAL_E_DISCOVERY,
                                "topology_cache %s is ignored: others may write to it (mode %04o; chmod go-w)", path,
                                (unsigned)status->st_mode & 07777);
    return shoal__fault_set(
        fault, SHOAL_E_DISCOVERY,
        "topology_cache %s is ignored: it belongs to user %u, neither to this process's (%u) nor to "
        "root",
        path, (unsigned)status->st_uid, (unsigned)geteuid());
}

static shoal_status tell_open(struct shoal__fault *fault, const char *path) {
    if (errno == ENOENT)
        return SHOAL_NOT_FOUND;
    if (errno == ELOOP)
        return shoal__fault_set(fault, SHOAL_E_DISCOVERY,
                                "topology_cache %s is ignored: it is a symbolic link; name the file itself", path);
    return shoal__fault_set_os(fault, SHOAL_E_DISCOVERY, errno, "topology_cache %s is ignored: it cannot be read",
                               path);
}

static shoal_status read_bytes(int fd, const char *path, struct shoal__buffer *file, struct shoal__fault *fault) {
    ssize_t count = 1;
    while (count > 0 && file->size <= SHOAL__TOPOLOGY_FILE_MAX) {
        char *room = shoal__buffer_reserve(file, 16384);
        if (room == NULL)
            return shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for topology_cache %s", path);
        count = read(fd, room, 16384);
        file->size += count > 0 ? (size_t)count : 0;
    }
    if (count < 0)
        return shoal__fault_set_os(fault, SHOAL_E_DISCOVERY, errno, "topology_cache %s is ignored: it cannot be read",
                                   path);
    return SHOAL_OK; /* one that is too large is damaged, as its digest tells */
}

static shoal_status load(const char *path, struct shoal__buffer *file, struct shoal__fault *fault) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return tell_open(fault, path);
    shoal_status result;
    if (fstat(fd, &status) != 0)
        result = tell_open(fault, path);
    else
        result = is_ours(&status) ? read_bytes(fd, path, file, fault) : distrust(fault, path, &status);
    close(fd);
    return result;
}

/* --- What it says --- */

/* A monotonic clock begins anew with the host: moments of another start tell nothing. "-" where /proc is missing. */
static struct boot_id read_boot_id(void) {
    struct boot_id boot = {"-"};
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, boot.text, sizeof(boot.text) - 1);
    if (fd >= 0)
        close(fd);
    if (count < 2)
        return (struct boot_id){"-"};
    boot.text[count] = '\0';
    boot.text[strcspn(boot.text, " \n")] = '\0';
    return boot;
}

static int64_t moment_of(const struct shoal__topology_record *record, int64_t now_ns) {
    struct boot_id boot = read_boot_id();
    bool is_known = strcmp(boot.text, "-") != 0 && shoal__slice_equals(record->boot, boot.text);
    return is_known && (int64_t)record->asked_ns <= now_ns ? (int64_t)record->asked_ns : SHOAL__NEVER;
}

shoal_status shoal__topology_cache_read(const struct shoal__topology_cache *cache, int64_t now_ns,
                                        struct shoal__cluster *cluster, int64_t *asked_ns, struct shoal__fault *fault) {
    struct shoal__buffer file = {0};
    struct shoal__topology_record record;
    enum shoal__topology_file_answer answer = SHOAL__TOPOLOGY_FILE_ABSENT;
    shoal_status status = load(cache->path, &file, fault);
    if (status == SHOAL_OK)
        answer = shoal__topology_file_find((struct shoal__slice){file.bytes, file.size}, shoal__slice_of(cache->key),
                                           &record);
    if (status == SHOAL_OK && answer == SHOAL__TOPOLOGY_FILE_ABSENT)
        status = SHOAL_NOT_FOUND;
    else if (status == SHOAL_OK && answer == SHOAL__TOPOLOGY_FILE_FOUND)
        status = shoal__cluster_parse(record.payload.bytes, record.payload.size, cluster, fault);
    else if (status == SHOAL_OK)
        status = shoal__fault_set(fault, SHOAL_E_DISCOVERY,
                                  "topology_cache %s is ignored: it is damaged, or of another version of Shoal; the "
                                  "next poll replaces it",
                                  cache->path);
    if (status == SHOAL_OK)
        *asked_ns = moment_of(&record, now_ns);
    shoal__buffer_clear(&file);
    return status;
}

/* --- Writing --- */

static shoal_status write_bytes(const char *path, const struct shoal__buffer *file, struct shoal__fault *fault) {
    char draft[PATH_SIZE];
    snprintf(draft, sizeof(draft), "%s.XXXXXX", path);
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0)
        return shoal__fault_set_os(fault, SHOAL_E_SYSTEM, errno,
                                   "topology_cache %s cannot be written: no file can be made in its folder", path);
    /* Read by processes of other users where root wrote it: it holds no secret. */
    bool written = write(fd, file->bytes, file->size) == (ssize_t)file->size && fchmod(fd, 0644) == 0;
    int failure = errno;
    close(fd);
    if (written && rename(draft, path) == 0)
        return SHOAL_OK;
    failure = written ? errno : failure;
    unlink(draft);
    return shoal__fault_set_os(fault, SHOAL_E_SYSTEM, failure, "topology_cache %s cannot be written", path);
}

shoal_status shoal__topology_cache_write(const struct shoal__topology_cache *cache, uint64_t version,
                                         const struct shoal__node_list *list, int64_t asked_ns,
                                         struct shoal__fault *fault) {
    struct shoal__buffer old = {0}, payload = {0}, file = {0};
    struct boot_id boot = read_boot_id();
    shoal_status status = SHOAL_OK;
    if (load(cache->path, &old, NULL) != SHOAL_OK)
        shoal__buffer_clear(&old); /* whatever is there is replaced */
    bool listed = shoal__topology_file_list(&payload, version, list);
    struct shoal__topology_record record = {
        .key = shoal__slice_of(cache->key),
        .boot = shoal__slice_of(boot.text),
        .asked_ns = (uint64_t)asked_ns,
        .payload = {payload.bytes, payload.size},
    };
    if (listed && shoal__topology_file_compose(&file, (struct shoal__slice){old.bytes, old.size}, &record))
        status = write_bytes(cache->path, &file, fault);
    else
        status = shoal__fault_set(fault, SHOAL_E_NO_MEMORY, "out of memory for topology_cache %s", cache->path);
    shoal__buffer_clear(&old);
    shoal__buffer_clear(&payload);
    shoal__buffer_clear(&file);
    return status;
}

/* --- Who asks --- */

/* Each fleet of the file has a byte of its own to lock. */
static off_t place_of(const struct shoal__topology_cache *cache) {
    char digits[16];
    snprintf(digits, sizeof(digits), "%.15s", cache->key);
    return (off_t)strtoll(digits, NULL, 16);
}

static int open_lock(const struct shoal__topology_cache *cache) {
    char path[PATH_SIZE];
    struct stat status;
    snprintf(path, sizeof(path), "%s.lock", cache->path);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd >= 0 && fstat(fd, &status) == 0 && is_ours(&status))
        return fd;
    if (fd >= 0)
        close(fd); /* somebody else's: they could hold it for ever */
    return -1;
}

/* By open file description: threads and fleets of one process exclude each other too, and closing another descriptor of
 * the file loses nothing. */
static bool lock_byte(const struct shoal__topology_cache *cache, int fd, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = place_of(cache), .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

bool shoal__topology_cache_begin_asking(struct shoal__topology_cache *cache) {
    int fd = open_lock(cache);
    if (fd < 0)
        return true;
    if (!lock_byte(cache, fd, F_WRLCK)) {
        close(fd);
        return false;
    }
    cache->lock_fd = fd;
    cache->lock_descriptor = shoal__descriptor_adopt(fd);
    return true;
}

void shoal__topology_cache_end_asking(struct shoal__topology_cache *cache) {
    if (cache->lock_fd < 0)
        return;
    /* Not by closing alone: a forked child may have the descriptor too. */
    lock_byte(cache, cache->lock_fd, F_UNLCK);
    shoal__descriptor_release(cache->lock_descriptor);
    close(cache->lock_fd);
    cache->lock_fd = -1;
    cache->lock_descriptor = NULL;
}
