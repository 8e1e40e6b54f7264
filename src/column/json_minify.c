/* JSON text checked (RFC 8259) and written without its white space, in one pass over the bytes. */
#include "column/json_out.h"

#define DEPTH_MAX 512

typedef struct cursor {
    const uint8_t *p, *end;
    char *out;
} cursor;

static void blanks(cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

static bool next_is(const cursor *c, uint8_t what)
{
    return c->p < c->end && *c->p == what;
}

static void copy(cursor *c, size_t n)
{
    memcpy(c->out, c->p, n);
    c->out += n;
    c->p += n;
}

static bool literal(cursor *c, const char *word, size_t n)
{
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        return false;
    copy(c, n);
    return true;
}

static bool is_hex(uint8_t x)
{
    return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F');
}

static bool escape(cursor *c)
{
    size_t left = (size_t)(c->end - c->p);
    if (left < 2)
        return false;
    if (c->p[1] == 'u') {
        if (left < 6 || !is_hex(c->p[2]) || !is_hex(c->p[3]) || !is_hex(c->p[4]) ||
            !is_hex(c->p[5]))
            return false;
        copy(c, 6);
        return true;
    }
    if (!c->p[1] || !strchr("\"\\/bfnrt", c->p[1]))
        return false;
    copy(c, 2);
    return true;
}

static bool string(cursor *c)
{
    copy(c, 1);
    for (;;) {
        copy(c, json_plain_prefix(c->p, (size_t)(c->end - c->p)));
        if (c->p == c->end || *c->p < 0x20)
            return false;
        if (*c->p == '"') {
            copy(c, 1);
            return true;
        }
        if (!escape(c))
            return false;
    }
}

static bool digits(cursor *c)
{
    const uint8_t *from = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        copy(c, 1);
    return c->p > from;
}

static bool number(cursor *c)
{
    if (next_is(c, '-'))
        copy(c, 1);
    if (next_is(c, '0'))
        copy(c, 1);
    else if (!digits(c))
        return false;
    if (next_is(c, '.')) {
        copy(c, 1);
        if (!digits(c))
            return false;
    }
    if (next_is(c, 'e') || next_is(c, 'E')) {
        copy(c, 1);
        if (next_is(c, '+') || next_is(c, '-'))
            copy(c, 1);
        return digits(c);
    }
    return true;
}

static bool scalar(cursor *c)
{
    switch (*c->p) {
    case '"': return string(c);
    case 't': return literal(c, "true", 4);
    case 'f': return literal(c, "false", 5);
    case 'n': return literal(c, "null", 4);
    default: return number(c);
    }
}

/* "name": with the blanks around it. */
static bool member_name(cursor *c)
{
    blanks(c);
    if (!next_is(c, '"') || !string(c))
        return false;
    blanks(c);
    if (!next_is(c, ':'))
        return false;
    copy(c, 1);
    blanks(c);
    return true;
}

/* Behind a value: closes what ends here, or goes on to the next member. */
static bool close_or_go_on(cursor *c, const uint8_t *stack, unsigned *depth)
{
    for (;;) {
        blanks(c);
        if (*depth == 0)
            return true;
        uint8_t closing = stack[*depth - 1];
        if (next_is(c, closing)) {
            copy(c, 1);
            --*depth;
            continue;
        }
        if (!next_is(c, ','))
            return false;
        copy(c, 1);
        blanks(c);
        return closing == ']' || member_name(c);
    }
}

bool json_minify(const uint8_t *p, size_t n, char *out, size_t *len)
{
    cursor c = {p, p + n, out};
    uint8_t stack[DEPTH_MAX];
    unsigned depth = 0;
    blanks(&c);
    do {
        if (c.p == c.end)
            return false;
        if (*c.p == '{' || *c.p == '[') {
            uint8_t closing = *c.p == '{' ? '}' : ']';
            if (depth == DEPTH_MAX)
                return false;
            stack[depth++] = closing;
            copy(&c, 1);
            blanks(&c);
            if (!next_is(&c, closing)) {
                if (closing == '}' && !member_name(&c))
                    return false;
                continue;
            }
        } else if (!scalar(&c)) {
            return false;
        }
        if (!close_or_go_on(&c, stack, &depth))
            return false;
    } while (depth > 0);
    *len = (size_t)(c.out - out);
    return c.p == c.end;
}
