/* Private names, by files that are mounted over the machine's.
 * May include: libc, <linux/sched.h>. */
#include "support/names.h"

#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool are_private;

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

static bool replace_file(const char *path, const char *text) {
    char copy[] = "/tmp/shoal-names-XXXXXX";
    int fd = mkstemp(copy);
    if (fd < 0)
        return false;
    close(fd);
    write_file(copy, text);
    bool replaced = mount(copy, path, NULL, MS_BIND, NULL) == 0;
    unlink(copy);
    return replaced;
}

bool test_names_make_private(void) {
    if (syscall(SYS_unshare, CLONE_NEWNS) != 0 && syscall(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    are_private = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                  replace_file("/etc/hosts", "127.0.0.1 localhost\n") &&
                  replace_file("/etc/resolv.conf", "nameserver " TEST_NAME_SERVER "\n");
    return are_private;
}

bool test_names_are_private(void) {
    return are_private;
}

void test_names_set(const char *lines) {
    char text[512];
    if (!are_private) {
        fprintf(stderr, "tests: names are not private\n");
        abort();
    }
    snprintf(text, sizeof(text), "127.0.0.1 localhost\n%s", lines);
    write_file("/etc/hosts", text);
}
