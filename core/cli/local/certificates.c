/* Two runs of openssl: an authority that signs one certificate and is forgotten, and that certificate.
 * May include: libc, directory, node, program, report. */
#include "local/certificates.h"

#include "local/program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID_DAYS "365"

/* Everything is said here, so that nothing depends on the machine's own openssl.cnf. */
static const char settings[] = "[req]\n"
                               "prompt = no\n"
                               "distinguished_name = name\n"
                               "[name]\n"
                               "commonName = shoal local\n"
                               "[authority]\n"
                               "basicConstraints = critical, CA:TRUE\n"
                               "keyUsage = critical, keyCertSign\n"
                               "subjectKeyIdentifier = hash\n"
                               "[server]\n"
                               "basicConstraints = critical, CA:FALSE\n"
                               "keyUsage = critical, digitalSignature\n"
                               "extendedKeyUsage = serverAuth\n"
                               "subjectKeyIdentifier = hash\n"
                               "authorityKeyIdentifier = keyid\n"
                               "subjectAltName = DNS:localhost, IP:127.0.0.1\n";

#define SETTINGS_FILE "settings"
static const char *const file_names[] = {SETTINGS_FILE, "ca.key", "ca.pem", "server.key", "server.pem"};

static void remove_file(const struct local_certificates *certificates, const char *name) {
    char path[sizeof(certificates->folder) + 32];
    snprintf(path, sizeof(path), "%s/%s", certificates->folder, name);
    unlink(path);
}

void local_certificates_remove(const struct local_certificates *certificates) {
    if (certificates->folder[0] == '\0')
        return;
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++)
        remove_file(certificates, file_names[i]);
    rmdir(certificates->folder); /* fails, rightly, where somebody put something into it */
}

/* What may not stand in the `?` part of an endpoint as it is, or means something to a shell, in %XX. */
static bool encode(const char *path, char *encoded, size_t size) {
    size_t length = 0;
    for (; *path != '\0'; path++) {
        bool is_bare = isalnum((unsigned char)*path) || strchr("/._-", *path) != NULL;
        if (length + 4 > size)
            return false;
        if (is_bare)
            encoded[length++] = *path;
        else
            length += (size_t)snprintf(encoded + length, 4, "%%%02X", (unsigned)(unsigned char)*path);
    }
    encoded[length] = '\0';
    return true;
}

static bool name_ca_file(struct local_certificates *certificates, struct problem *problem) {
    char path[sizeof(certificates->folder) + 32];
    snprintf(path, sizeof(path), "%s/ca.pem", certificates->folder);
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return problem_set(problem, "cannot find %s: %s", path, strerror(errno));
    bool fits = encode(absolute, certificates->ca_file, sizeof(certificates->ca_file));
    free(absolute);
    return fits || problem_set(problem, "the directory's name is too long for an endpoint; choose a shorter --dir");
}

static bool write_settings(const struct local_certificates *certificates, struct problem *problem) {
    char path[sizeof(certificates->folder) + 32];
    snprintf(path, sizeof(path), "%s/" SETTINGS_FILE, certificates->folder);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = file >= 0 && write(file, settings, sizeof(settings) - 1) == (ssize_t)sizeof(settings) - 1;
    int reason = errno;
    if (file >= 0)
        close(file);
    return written || problem_set(problem, "cannot write %s: %s", path, strerror(reason));
}

static bool run_openssl(const struct local_certificates *certificates, struct problem *problem) {
    char openssl[PATH_MAX];
#define WORD(text) ((char *)(text))
#define NEW_CERTIFICATE                                                                               \
    WORD("openssl"), WORD("req"), WORD("-x509"), WORD("-config"), WORD(SETTINGS_FILE), WORD("-days"), \
        WORD(VALID_DAYS), WORD("-noenc"), WORD("-newkey"), WORD("ec"), WORD("-pkeyopt"),              \
        WORD("ec_paramgen_curve:P-256")
    char *authority[] = {NEW_CERTIFICATE, WORD("-extensions"), WORD("authority"), WORD("-keyout"),
                         WORD("ca.key"),  WORD("-out"),        WORD("ca.pem"),    NULL};
    char *server[] = {NEW_CERTIFICATE,       WORD("-extensions"),
                      WORD("server"),        WORD("-keyout"),
                      WORD("server.key"),    WORD("-out"),
                      WORD("server.pem"),    WORD("-subj"),
                      WORD("/CN=localhost"), WORD("-CA"),
                      WORD("ca.pem"),        WORD("-CAkey"),
                      WORD("ca.key"),        NULL};
    return local_find_program("openssl", openssl, problem) &&
           local_run_program(openssl, authority, certificates->folder, problem) &&
           local_run_program(openssl, server, certificates->folder, problem);
}

/* Anybody may read the certificates; the servers' key is for them alone. */
static bool set_rights(const struct local_certificates *certificates, struct local_program *program,
                       struct problem *problem) {
    int folder = open(certificates->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fchmod(folder, 0755) == 0 && fchmodat(folder, "ca.pem", 0644, 0) == 0 &&
                fchmodat(folder, "server.pem", 0644, 0) == 0 && fchmodat(folder, "server.key", 0600, 0) == 0;
    if (!done)
        problem_set(problem, "cannot set the rights in %s: %s", certificates->folder, strerror(errno));
    /* Where root may not give a file away, it can hardly become that user: memcached stays root then. */
    else if (program->steps_down && fchownat(folder, "server.key", program->user, program->group, 0) != 0)
        program->steps_down = false;
    if (folder >= 0)
        close(folder);
    return done;
}

bool local_certificates_make(struct local_certificates *certificates, const struct local_directory *directory,
                             struct local_program *program, struct problem *problem) {
    snprintf(certificates->folder, sizeof(certificates->folder), "%s/tls", directory->path);
    local_certificates_remove(certificates);
    if (mkdir(certificates->folder, 0700) != 0) {
        problem_set(problem, "cannot make %s: %s", certificates->folder, strerror(errno));
        certificates->folder[0] = '\0';
        return false;
    }
    bool made = write_settings(certificates, problem) && run_openssl(certificates, problem) &&
                name_ca_file(certificates, problem) && set_rights(certificates, program, problem);
    remove_file(certificates, "ca.key");
    remove_file(certificates, SETTINGS_FILE);
    return made;
}
