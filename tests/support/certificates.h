/* Certificates for tests, made on the fly and written into a folder of this process, which ends with it.
 * May include: libc. Used by tests/integration and tests/conformance. */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#define TEST_CERTIFICATE_PATH_SIZE 128

/* Whom a certificate is for, who signed it, and since and until when, in days from now. */
struct test_certificate {
    const char *name;   /* of its files */
    const char *issuer; /* the name of one made before; NULL: an authority that signs itself */
    const char *hosts;  /* "DNS:localhost,IP:127.0.0.1"; NULL: none */
    int from_days;
    int until_days;
};

void test_certificate_make(const struct test_certificate *wanted);

/* A server's that anybody may use: the authority `ca`, and `server` for 127.0.0.1 and localhost; made once. */
void test_certificates_make_usual(void);

/* FOLDER/NAME.SUFFIX, of suffix "pem" (the certificate) or "key". Valid until the fourth call from here on. */
const char *test_certificate_path(const char *name, const char *suffix);

/* "tls=true&tls_ca_file=PATH&" and what follows. Valid until the fourth call from here on. */
const char *test_tls_options(const char *more);

#endif
