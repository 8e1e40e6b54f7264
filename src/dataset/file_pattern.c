#include "dataset/file_pattern.h"

#include <errno.h>
#include <sys/random.h>

enum { DIGITS_MOST = 18 };

static span text_span(const char *from, size_t len)
{
    return (span){(const uint8_t *)from, len};
}

/* What stands between the braces. */
static bool parse_place(span s, file_pattern *out)
{
    uint32_t n = 0;

    if (s.len == 4 && !memcmp(s.data, "uuid", 4)) {
        out->uuid = true;
        return true;
    }
    if (!s.len || s.data[0] != 'i')
        return false;
    if (s.len == 1)
        return true;
    if (s.len < 4 || s.len > 5 || s.data[1] != ':' || s.data[2] != '0')
        return false;
    for (size_t i = 3; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        n = 10 * n + (uint32_t)(s.data[i] - '0');
    }
    out->digits = n;
    return n >= 1 && n <= DIGITS_MOST;
}

static const char *wrong_text(const char *text)
{
    if (strlen(text) > FILE_PATTERN_MAX)
        return "is longer than names of files should be";
    if (strchr(text, '/'))
        return "names a folder, a pattern of files is wanted";
    if (text[0] == '.' || text[0] == '_')
        return "gives files that readers of datasets take for hidden";
    return NULL;
}

nrw_status file_pattern_parse(const char *text, file_pattern *out, nrw_error *err)
{
    const char *open = strchr(text, '{'), *close = open ? strchr(open, '}') : NULL;
    const char *wrong = wrong_text(text);

    *out = (file_pattern){0};
    if (!wrong && (!close || strchr(open + 1, '{') || strchr(close + 1, '}') ||
                   !parse_place(text_span(open + 1, (size_t)(close - open) - 1), out)))
        wrong = "must have one {i}, {i:0N} or {uuid}";
    if (wrong) {
        err_next(err, "--filename-pattern takes a name such as " FILE_PATTERN_DEFAULT);
        return err_set(err, NRW_E_ARG, "'%.100s' %s", text, wrong);
    }
    out->before = text_span(text, (size_t)(open - text));
    out->after = text_span(close + 1, strlen(close + 1));
    return NRW_OK;
}

static nrw_status append_uuid(bytes *to, nrw_error *err)
{
    uint8_t b[16];

    for (size_t have = 0; have < sizeof b;) {
        ssize_t n = getrandom(b + have, sizeof b - have, 0);
        if (n < 0 && errno != EINTR)
            return err_errno(err, NRW_E_IO, errno, "no random numbers");
        have += n > 0 ? (size_t)n : 0;
    }
    b[6] = (uint8_t)((b[6] & 15) | 0x40);
    b[8] = (uint8_t)((b[8] & 63) | 0x80);
    for (size_t i = 0; i < sizeof b; i++)
        TRY(bytes_printf(to, err, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]));
    return NRW_OK;
}

nrw_status file_pattern_append(const file_pattern *p, uint64_t number, bytes *to, nrw_error *err)
{
    if (p->before.len)
        TRY(bytes_append(to, p->before.data, p->before.len, err));
    if (p->uuid)
        TRY(append_uuid(to, err));
    else
        TRY(bytes_printf(to, err, "%0*llu", (int)(p->digits ? p->digits : 1),
                         (unsigned long long)number));
    return p->after.len ? bytes_append(to, p->after.data, p->after.len, err) : NRW_OK;
}

bool file_pattern_number(const file_pattern *p, span name, uint64_t *number)
{
    uint64_t n = 0;
    size_t digits = name.len - p->before.len - p->after.len;

    if (p->uuid || name.len <= p->before.len + p->after.len || digits > DIGITS_MOST ||
        (p->before.len && memcmp(name.data, p->before.data, p->before.len)) ||
        (p->after.len && memcmp(name.data + name.len - p->after.len, p->after.data, p->after.len)))
        return false;
    for (size_t i = 0; i < digits; i++) {
        uint8_t c = name.data[p->before.len + i];
        if (c < '0' || c > '9')
            return false;
        n = 10 * n + (uint64_t)(c - '0');
    }
    *number = n;
    return true;
}
