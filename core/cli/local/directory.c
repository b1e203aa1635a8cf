/* Where a local fleet is found, and who runs it.
 * May include: libc, report. */
#include "local/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool local_directory_name(struct local_directory *directory, const char *given, struct problem *problem) {
    *directory = (struct local_directory){.lock = -1, .control = {.sun_family = AF_UNIX}};
    const char *parent = getenv("XDG_RUNTIME_DIR");
    if (parent == NULL || parent[0] != '/')
        parent = "/tmp";
    int length;
    if (given)
        length = snprintf(directory->path, sizeof(directory->path), "%s", given);
    else
        length =
            snprintf(directory->path, sizeof(directory->path), "%s/shoal-local-%lu", parent, (unsigned long)geteuid());
    if (length == 0)
        return problem_set(problem, "the directory's name is empty");
    const char *path = directory->path;
    int socket_length = length;
    if ((size_t)length < sizeof(directory->path)) {
        snprintf(directory->lock_path, sizeof(directory->lock_path), "%s/lock", path);
        socket_length = snprintf(directory->control.sun_path, sizeof(directory->control.sun_path), "%s/control", path);
    }
    if ((size_t)socket_length >= sizeof(directory->control.sun_path))
        return problem_set(problem, "the directory's name is too long for a socket in it; choose a shorter --dir");
    return true;
}

bool local_directory_check(const struct local_directory *directory, struct problem *problem) {
    struct stat found;
    if (lstat(directory->path, &found) != 0)
        return errno == ENOENT ? problem_set(problem, "no 'shoal local' runs in %s", directory->path)
                               : problem_set(problem, "cannot use %s: %s", directory->path, strerror(errno));
    if (!S_ISDIR(found.st_mode))
        return problem_set(problem, "%s is not a directory", directory->path);
    if (found.st_uid != geteuid())
        return problem_set(problem, "%s belongs to another user; choose another --dir", directory->path);
    if (found.st_mode & (S_IWGRP | S_IWOTH))
        return problem_set(problem, "others may write into %s; choose another --dir", directory->path);
    return true;
}

/* True where the open file is still the one that the path names: its last owner may have removed it meanwhile. */
static bool is_still_there(int file, const char *path) {
    struct stat opened, named;
    return fstat(file, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static bool take_lock(struct local_directory *directory, struct problem *problem) {
    for (int tries = 0; tries < 10; tries++) {
        int file = open(directory->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0)
            return problem_set(problem, "cannot open %s: %s", directory->lock_path, strerror(errno));
        if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            close(file);
            break;
        }
        if (is_still_there(file, directory->lock_path)) {
            directory->lock = file;
            return true;
        }
        close(file);
    }
    return problem_set(problem,
                       "another 'shoal local' runs in %s; stop it ('shoal local stop') or choose another --dir",
                       directory->path);
}

bool local_directory_claim(struct local_directory *directory, struct problem *problem) {
    if (mkdir(directory->path, 0700) == 0)
        directory->made_here = true;
    else if (errno != EEXIST)
        return problem_set(problem, "cannot make %s: %s", directory->path, strerror(errno));
    if (!local_directory_check(directory, problem) || !take_lock(directory, problem))
        return false;
    /* Whoever holds the lock is the only fleet here: a socket that is left belongs to one that died. */
    struct stat found;
    const char *socket_path = directory->control.sun_path;
    if (lstat(socket_path, &found) != 0)
        return true;
    if (S_ISSOCK(found.st_mode) && unlink(socket_path) == 0)
        return true;
    problem_set(problem, "%s is in the way; remove it", socket_path);
    local_directory_release(directory);
    return false;
}

void local_directory_release(struct local_directory *directory) {
    if (directory->lock < 0)
        return;
    struct stat found;
    if (lstat(directory->control.sun_path, &found) == 0 && S_ISSOCK(found.st_mode))
        unlink(directory->control.sun_path);
    unlink(directory->lock_path);
    if (directory->made_here)
        rmdir(directory->path); /* fails, rightly, where somebody put something into it */
    close(directory->lock);
    directory->lock = -1;
}
