/* Reading text from its front: each takes what it names, or nothing. */
#ifndef EXPR_READING_H
#define EXPR_READING_H

#include "base/span.h"

#include <ctype.h>

typedef struct reading {
    const uint8_t *p, *end;
} reading;

static inline void skip_spaces(reading *r)
{
    while (r->p < r->end && isspace(*r->p))
        r->p++;
}

static inline bool take(reading *r, char c)
{
    if (r->p == r->end || *r->p != (uint8_t)c)
        return false;
    r->p++;
    return true;
}

static inline bool at_digit(const reading *r)
{
    return r->p < r->end && isdigit(*r->p);
}

/* least..most digits as a number. */
static inline bool digits(reading *r, int least, int most, int64_t *out)
{
    int n = 0;

    *out = 0;
    for (; n < most && at_digit(r); n++)
        *out = *out * 10 + (*r->p++ - '0');
    return n >= least;
}

static inline bool take_word(reading *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || strncasecmp((const char *)r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

static inline bool ends(reading *r)
{
    skip_spaces(r);
    return r->p == r->end;
}

#endif
