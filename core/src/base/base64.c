/* Base64, by OpenSSL.
 * May include: base/, and <openssl/evp.h>. */
#include "base/base64.h"

#include <openssl/evp.h>

void shoal__base64(const char *bytes, size_t size, char *text) {
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes, (int)size);
}
