/* Certificates for tests, by OpenSSL's functions, as its command is not everywhere.
 * May include: libc, <openssl/> and support/. */
#include "support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_A_DAY 86400

static char folder[64];
static pid_t owner;
static char names[32][32];
static int name_count;

static void check(bool fine, const char *what) {
    if (fine)
        return;
    fprintf(stderr, "tests: certificates: %s\n", what);
    abort();
}

/* --- The folder --- */

/* Children that end by exit() leave it to their parent. */
static void remove_folder(void) {
    if (getpid() != owner)
        return;
    for (int i = 0; i < name_count; i++) {
        unlink(test_certificate_path(names[i], "pem"));
        unlink(test_certificate_path(names[i], "key"));
    }
    rmdir(folder);
}

static void make_folder(void) {
    if (folder[0] != '\0')
        return;
    snprintf(folder, sizeof(folder), "/tmp/shoal-test-tls-XXXXXX");
    check(mkdtemp(folder) != NULL, "no folder");
    owner = getpid();
    atexit(remove_folder);
}

static char *next_place(void) {
    static _Thread_local char places[4][TEST_CERTIFICATE_PATH_SIZE + 256];
    static _Thread_local unsigned next;
    return places[next++ % 4];
}

const char *test_certificate_path(const char *name, const char *suffix) {
    char *place = next_place();
    make_folder();
    snprintf(place, TEST_CERTIFICATE_PATH_SIZE, "%s/%s.%s", folder, name, suffix);
    return place;
}

const char *test_tls_options(const char *more) {
    const char *ca = test_certificate_path("ca", "pem");
    char *place = next_place();
    snprintf(place, TEST_CERTIFICATE_PATH_SIZE + 256, "tls=true&tls_ca_file=%s&%s", ca, more);
    return place;
}

/* --- Certificates --- */

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

static void describe(X509 *certificate, const struct test_certificate *wanted, EVP_PKEY *key, X509 *issuer) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), name_count + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (long)wanted->from_days * SECONDS_A_DAY);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)wanted->until_days * SECONDS_A_DAY);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)wanted->name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_set_pubkey(certificate, key);
    add_extension(certificate, issuer, NID_basic_constraints, wanted->issuer ? "CA:FALSE" : "critical,CA:TRUE");
    if (wanted->hosts != NULL)
        add_extension(certificate, issuer, NID_subject_alt_name, wanted->hosts);
}

static FILE *open_file(const char *name, const char *suffix, const char *mode) {
    const char *path = test_certificate_path(name, suffix);
    FILE *file = fopen(path, mode);
    check(file != NULL, path);
    return file;
}

static void write_both(const char *name, X509 *certificate, EVP_PKEY *key) {
    FILE *file = open_file(name, "pem", "w");
    check(PEM_write_X509(file, certificate) == 1 && fclose(file) == 0, name);
    file = open_file(name, "key", "w");
    check(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0, name);
}

void test_certificate_make(const struct test_certificate *wanted) {
    check(name_count < 32, "too many");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *issuer_key = key;
    X509 *certificate = X509_new();
    X509 *issuer = certificate;
    check(key != NULL && certificate != NULL, wanted->name);
    if (wanted->issuer != NULL) {
        FILE *file = open_file(wanted->issuer, "pem", "r");
        issuer = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
        file = open_file(wanted->issuer, "key", "r");
        issuer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    }
    check(issuer != NULL && issuer_key != NULL, wanted->issuer ? wanted->issuer : "");
    describe(certificate, wanted, key, issuer);
    check(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, wanted->name);
    snprintf(names[name_count++], sizeof(names[0]), "%s", wanted->name);
    write_both(wanted->name, certificate, key);
    if (issuer != certificate) {
        X509_free(issuer);
        EVP_PKEY_free(issuer_key);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void test_certificates_make_usual(void) {
    static bool made;
    if (made)
        return;
    made = true;
    test_certificate_make(&(struct test_certificate){.name = "ca", .from_days = -1, .until_days = 2});
    test_certificate_make(&(struct test_certificate){
        .name = "server", .issuer = "ca", .hosts = "DNS:localhost,IP:127.0.0.1", .from_days = -1, .until_days = 2});
}
