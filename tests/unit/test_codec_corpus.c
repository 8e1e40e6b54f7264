/* Bare compressed streams of other projects, beside this source tree or where NARROWS_SHARED says:
 * data/compression/expected.json tells what comes out of each. */
#include "codec_testing.h"

#include <stdio.h>
#include <zstd.h>

/* -- SHA-256 (FIPS 180-4), for the expectations -------------------------------------------------
 */

static uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

/* The first 32 bits of the fractional part of the square or cube root of a prime. */
static uint32_t root_bits(uint32_t prime, int degree)
{
    uint32_t whole = 1;
    while (degree == 2 ? (whole + 1) * (whole + 1) <= prime
                       : (whole + 1) * (whole + 1) * (whole + 1) <= prime)
        whole++;
    uint64_t root = (uint64_t)whole << 32; /* 32 bits behind the point, found from the top */
    for (int b = 31; b >= 0; b--) {
        __uint128_t r = root | (uint64_t)1 << b;
        bool below =
            degree == 2 ? r * r <= (__uint128_t)prime << 64 : r * r * r <= (__uint128_t)prime << 96;
        if (below)
            root = (uint64_t)r;
    }
    return (uint32_t)root;
}

static void sha_block(uint32_t h[8], const uint32_t k[64], const uint8_t *p)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = __builtin_bswap32(load_u32(p + i * 4));
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        a = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
        b = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t e = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t a = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t t = v[7] + e + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        uint32_t u = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t;
        v[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

static void sha256_hex(const uint8_t *data, size_t n, char out[65])
{
    uint32_t h[8], k[64];
    for (uint32_t p = 2, found = 0; found < 64; p++) {
        bool prime = true;
        for (uint32_t d = 2; d * d <= p; d++)
            prime = prime && p % d;
        if (!prime)
            continue;
        if (found < 8)
            h[found] = root_bits(p, 2);
        k[found++] = root_bits(p, 3);
    }
    size_t padded = (n + 8) / 64 * 64 + 64;
    uint8_t *p = calloc(padded, 1);
    memcpy(p, data, n);
    p[n] = 0x80;
    store_u64(p + padded - 8, __builtin_bswap64((uint64_t)n * 8));
    for (size_t i = 0; i < padded; i += 64)
        sha_block(h, k, p + i);
    for (int i = 0; i < 8; i++)
        snprintf(out + i * 8, 9, "%08x", h[i]);
    free(p);
}

/* -- The corpus ----------------------------------------------------------------------------------
 */

static char folder[1024];

static uint8_t *read_all(const char *name, size_t *n)
{
    char path[2048];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = calloc(*n + 1, 1);
    assert_int_equal(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

/* The text of a member of the object that ends at `end`; *len is 0 where there is none. */
static const char *member(const char *object, const char *end, const char *key, size_t *len)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *p = strstr(object, quoted);
    *len = 0;
    if (!p || p > end)
        return "";
    p += strlen(quoted);
    p += *p == '"';
    *len = strcspn(p, "\",\n");
    return p;
}

static const codec *codec_of(const char *name)
{
    if (strncmp(name, "snappy", 6) == 0)
        return codec_by_id(CODEC_SNAPPY);
    return codec_by_id(strncmp(name, "zstd", 4) == 0 ? CODEC_ZSTD : CODEC_BROTLI);
}

/* Valid frames that libzstd learned to read with 1.5.5: before, an error is all it can give. */
static bool beyond_library(const char *name)
{
    bool late = strstr(name, "/empty-block.zst") || strstr(name, "/zeroSeq_2B.zst");
    return late && ZSTD_versionNumber() < 10505;
}

static void must_decode(codec_ctx *c, const char *name, span src, size_t bytes, const char *sha)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *got = calloc(bytes + 1, 1);
    char hex[65];
    for (int way = 0; way < 3; way++) {
        memset(got, 0, bytes);
        nrw_status st = way == 0
                            ? c->codec->decode(c, src, got, bytes, &err)
                            : stream_decode(c, src, way == 1 ? 7 : 65536, 60000, got, bytes, &err);
        if (st == NRW_E_CORRUPT && beyond_library(name))
            continue;
        assert_ok(st, &err);
        sha256_hex(got, bytes, hex);
        if (strncmp(hex, sha, 64) != 0)
            fail_msg("%s gives other bytes", name);
    }
    free(got);
}

/* Of streams without a size of their own no size may be accepted. */
static void must_fail(codec_ctx *c, const char *name, span src)
{
    static const size_t sizes[] = {0, 1, 1000, 65536, 1 << 20};
    uint8_t *got = malloc(1 << 20);
    for (size_t i = 0; i < 5; i++) {
        nrw_error err = NRW_ERROR_INIT;
        if (c->codec->decode(c, src, got, sizes[i], &err) >= 0 ||
            stream_decode(c, src, 100, 60000, got, sizes[i], &err) >= 0)
            fail_msg("%s decodes", name);
        assert_true(err.message[0] != 0);
    }
    free(got);
}

static void corpus(void **state)
{
    (void)state;
    size_t n, len, seen = 0;
    char *json = (char *)read_all("expected.json", &n);
    if (!json) {
        print_message("skipped: no %s/expected.json\n", folder);
        skip();
    }
    mem *m = test_mem_open(MEM_NO_LIMIT);
    for (char *p = json; (p = strstr(p, "\n \"")); seen++) {
        char name[256];
        p += 3;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p, "\""), p);
        const char *end = strstr(p, "\n }");
        codec_ctx c = codec_ctx_init(codec_of(member(p, end, "codec", &len)), m);
        span src;
        uint8_t *file = read_all(name, &src.len);
        assert_non_null(file);
        src.data = file;
        size_t bytes = strtoull(member(p, end, "bytes", &len), NULL, 10);
        const char *sha = member(p, end, "sha256", &len);
        if (len == 64)
            must_decode(&c, name, src, bytes, sha);
        else
            must_fail(&c, name, src);
        free(file);
        codec_ctx_release(&c);
    }
    assert_true(seen > 0);
    test_mem_close(m);
    free(json);
}

static void sha256_known(void **state)
{
    (void)state;
    char hex[65];
    sha256_hex((const uint8_t *)"abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const char *shared = getenv("NARROWS_SHARED");
    if (shared)
        snprintf(folder, sizeof folder, "%s/data/compression", shared);
    else
        snprintf(folder, sizeof folder, "%.*s../shared/data/compression",
                 (int)(strstr(__FILE__, "tests/unit") - __FILE__), __FILE__);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_known),
        cmocka_unit_test(corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
