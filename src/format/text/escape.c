#include "column/print.h"
#include "format/text/own.h"

/* Sixteen bytes at once: the compiler's vectors, whatever the machine has. */
typedef uint8_t lanes __attribute__((vector_size(16)));

static bool any(lanes x)
{
    uint64_t halves[2];
    memcpy(halves, &x, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* '#' counts, as it may begin a comment for a reader. */
static bool has_special(uint8_t delim, const uint8_t *p, size_t n)
{
    lanes found = {0};
    while (n > 0) {
        lanes x = {0};
        size_t step = n < 16 ? n : 16;
        memcpy(&x, p, step);
        found |= (lanes)(x == delim) | (lanes)(x == '"') | (lanes)(x == '\n') | (lanes)(x == '\r') |
                 (lanes)(x == '#');
        p += step;
        n -= step;
    }
    return any(found);
}

bool text_csv_special(const text_writer *w, const uint8_t *p, size_t n)
{
    return has_special((uint8_t)w->delim, p, n);
}

bool text_csv_quotes(const text_writer *w, const uint8_t *p, size_t n)
{
    if (n == w->null.len && memcmp(p, w->null.data, n) == 0)
        return true;
    return text_csv_special(w, p, n);
}

size_t text_csv_double(const uint8_t *p, size_t n, char *out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        out[at++] = (char)p[i];
        if (p[i] == '"')
            out[at++] = '"';
    }
    return at;
}

bool text_blob_quotes(const text_writer *w, const uint8_t *p, size_t n)
{
    char text[1024];
    for (size_t at = 0; at < n;) {
        size_t step = size_min(n - at, sizeof text / 4);
        if (has_special((uint8_t)w->delim, (uint8_t *)text, print_blob(p + at, step, text)))
            return true;
        at += step;
    }
    return false;
}
