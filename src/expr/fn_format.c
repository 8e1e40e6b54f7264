/* printf and format: values into a text. printf's signs are C's; format's places are {}, {0},
 * {:04d}: what stands behind the colon is of the same kind. Both know , ' and _ between groups of
 * three digits. */
#include "base/utf8.h"
#include "expr/function_sets.h"
#include "expr/text.h"

#include "column/print.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct spec {
    bool left, centre, plus, space, alternate, zero;
    char group;           /* between thousands, 0: nothing */
    int width, precision; /* -1: not said */
    char sign;            /* d x X o b c s f e g ...; 0: as the value is */
} spec;

/* One argument of one row. */
typedef struct value {
    const type *t;
    span bytes;
} value;

static bool is_integer(const type *t)
{
    return type_is_integer(t) || t->id == TYPE_BOOL;
}

static bool is_real_sign(char c)
{
    return c && strchr("feEgGaAF", c);
}

static u128 magnitude(const value *v, bool *negative)
{
    u128 x = 0;
    uint32_t bits = 8 * v->t->width;

    memcpy(&x, v->bytes.data, v->t->width);
    *negative = type_is_signed(v->t) && x >> (bits - 1) & 1;
    if (*negative) {
        x = ~x + 1;
        if (bits < 128)
            x &= ((u128)1 << bits) - 1;
    }
    return x;
}

static size_t digits_of(u128 x, unsigned base, bool upper, char *end)
{
    size_t n = 0;

    do {
        unsigned d = (unsigned)(x % base);
        end[-(ptrdiff_t)++n] = (char)(d < 10 ? '0' + d : (upper ? 'A' : 'a') + d - 10);
        x /= base;
    } while (x > 0);
    return n;
}

/* The digits at the front of s in groups of three. */
static size_t grouped(const char *s, size_t n, char group, char *out)
{
    size_t whole = 0, at = 0;

    while (whole < n && isdigit((unsigned char)s[whole]))
        whole++;
    for (size_t i = 0; i < n; i++) {
        if (group && i && i < whole && (whole - i) % 3 == 0)
            out[at++] = group;
        out[at++] = s[i];
    }
    return at;
}

/* prefix (sign, 0x), digits, and the width around them. */
static nrw_status put_padded(bytes *b, const spec *s, const char *prefix, const char *text,
                             size_t n, bool number, nrw_error *err)
{
    size_t have = strlen(prefix) + n, chars = have, front = 0, back = 0;

    if (!number)
        chars = text_chars((span){(const uint8_t *)text, n});
    if (s->width > 0 && (size_t)s->width > chars) {
        size_t fill = (size_t)s->width - chars;
        if (s->zero && number && !s->left) {
            TRY(bytes_append(b, prefix, strlen(prefix), err));
            for (; fill; fill--)
                TRY(bytes_append(b, "0", 1, err));
            return bytes_append(b, text, n, err);
        }
        front = s->centre ? fill / 2 : s->left ? 0 : fill;
        back = fill - front;
    }
    for (; front; front--)
        TRY(bytes_append(b, " ", 1, err));
    TRY(bytes_append(b, prefix, strlen(prefix), err));
    TRY(bytes_append(b, text, n, err));
    for (; back; back--)
        TRY(bytes_append(b, " ", 1, err));
    return NRW_OK;
}

static nrw_status put_integer(bytes *b, const spec *s, const value *v, nrw_error *err)
{
    unsigned base = s->sign == 'x' || s->sign == 'X'   ? 16
                    : s->sign == 'o'                   ? 8
                    : s->sign == 'b' || s->sign == 'B' ? 2
                                                       : 10;
    char room[160], with[256], prefix[8] = "";
    bool negative;
    u128 x = magnitude(v, &negative);
    size_t n = digits_of(x, base, s->sign == 'X', room + sizeof room);
    const char *text = room + sizeof room - n;

    snprintf(prefix, sizeof prefix, "%s%s",
             negative   ? "-"
             : s->plus  ? "+"
             : s->space ? " "
                        : "",
             !s->alternate ? ""
             : base == 16  ? (s->sign == 'X' ? "0X" : "0x")
             : base == 8   ? "0"
             : base == 2   ? "0b"
                           : "");
    if (s->precision > (int)n) { /* so many digits at least */
        if (s->group || s->precision > 100)
            return err_set(err, NRW_E_VALUE,
                           "a format asks for %d digits of an integer, which is not supported",
                           s->precision);
        memset(with, '0', (size_t)s->precision - n);
        memcpy(with + s->precision - n, text, n);
        n = (size_t)s->precision;
    } else {
        n = grouped(text, n, base == 10 ? s->group : 0, with);
    }
    return put_padded(b, s, prefix, with, n, true, err);
}

static double as_double(const value *v)
{
    char text[PRINT_MAX + 1];
    double d = NAN;
    float f;

    if (v->t->id == TYPE_FLOAT64) {
        memcpy(&d, v->bytes.data, sizeof d);
    } else if (v->t->id == TYPE_FLOAT32) {
        memcpy(&f, v->bytes.data, sizeof f);
        d = f;
    } else {
        text[print_fixed(v->t, v->bytes.data, text)] = 0;
        d = strtod(text, NULL);
    }
    return d;
}

static nrw_status put_real(bytes *b, const spec *s, const value *v, nrw_error *err)
{
    char format[16], room[512], with[700];
    const char *text = room;
    char prefix[2] = "";
    double d = as_double(v);
    int n;

    snprintf(format, sizeof format, "%%%s.*%c", s->alternate ? "#" : "", s->sign ? s->sign : 'g');
    n = snprintf(room, sizeof room, format,
                 s->precision < 0     ? 6
                 : s->precision > 100 ? 100
                                      : s->precision,
                 d);
    if (n < 0 || (size_t)n >= sizeof room)
        return err_set(err, NRW_E_VALUE, "a number is too long for a format");
    if (*text == '-' || s->plus || s->space) {
        prefix[0] = *text == '-' ? '-' : s->plus ? '+' : ' ';
        text += *text == '-';
        n -= prefix[0] == '-';
    }
    n = (int)grouped(text, (size_t)n, s->group, with);
    return put_padded(b, s, prefix, with, (size_t)n, true, err);
}

/* As it prints, in groups. */
static nrw_status put_grouped(bytes *b, const spec *s, const value *v, nrw_error *err)
{
    char text[PRINT_MAX], with[2 * PRINT_MAX];
    size_t n = print_fixed(v->t, v->bytes.data, text);
    bool negative = n && text[0] == '-';

    n = grouped(text + negative, n - negative, s->group, with);
    return put_padded(b, s, negative ? "-" : "", with, n, true, err);
}

static nrw_status put_text(bytes *b, const spec *s, const value *v, nrw_error *err)
{
    bytes text = bytes_init(b->m, INT32_MAX);
    size_t n;
    nrw_status st = print_value(v->t, v->bytes, &text, err);

    n = text.len;
    if (s->precision >= 0 && st == NRW_OK)
        n = text_byte_of((span){text.data, n}, (size_t)s->precision);
    if (st == NRW_OK)
        st = put_padded(b, s, "", n ? (const char *)text.data : "", n, false, err);
    bytes_release(&text);
    return st;
}

static nrw_status mismatch(const value *v, char sign, nrw_error *err)
{
    char name[64];

    type_print(v->t, name, sizeof name);
    return err_set(err, NRW_E_VALUE, "a format asks for '%c' of a value of %s", sign, name);
}

static nrw_status put_value(bytes *b, const spec *s, const value *v, nrw_error *err)
{
    uint8_t room[4];
    bool negative, number = type_is_numeric(v->t) || v->t->id == TYPE_BOOL;

    if (s->sign == 'c' && is_integer(v->t)) {
        u128 c = magnitude(v, &negative);
        if (negative || c > 0x10ffff)
            return mismatch(v, 'c', err);
        return put_padded(b, s, "", (const char *)room, utf8_put((uint32_t)c, room), false, err);
    }
    if (s->sign && strchr("dixXobBu", s->sign))
        return is_integer(v->t) ? put_integer(b, s, v, err) : mismatch(v, s->sign, err);
    if (is_real_sign(s->sign)) {
        if (is_integer(v->t) && s->group && s->precision <= 3) {
            spec whole = *s;
            whole.sign = 'd';
            whole.group = s->precision > 0 ? 0 : s->group;
            return put_integer(b, &whole, v, err);
        }
        return number ? put_real(b, s, v, err) : mismatch(v, s->sign, err);
    }
    if (s->sign && s->sign != 's')
        return mismatch(v, s->sign, err);
    if (s->sign == 0 && v->t->id != TYPE_BOOL && is_integer(v->t))
        return put_integer(b, s, v, err);
    if (s->sign == 0 && (type_is_float(v->t) || v->t->id == TYPE_DECIMAL) && s->precision >= 0) {
        double d = as_double(v);
        if (d == floor(d)) /* DuckDB's rule for the zeros behind it is not known */
            return err_set(err, NRW_E_VALUE,
                           "a precision without a letter is not supported for whole numbers; as "
                           "in {:.3g}");
        return put_real(b, s, v, err);
    }
    if (number && s->group && v->t->id != TYPE_BOOL)
        return put_grouped(b, s, v, err);
    return put_text(b, s, v, err);
}

/* ---- reading what a place asks for ---- */

typedef struct reader {
    span f;
    size_t at;
} reader;

static bool next_is(reader *r, char c)
{
    if (r->at >= r->f.len || r->f.data[r->at] != (uint8_t)c)
        return false;
    r->at++;
    return true;
}

static int read_int(reader *r)
{
    int x = -1;

    for (; r->at < r->f.len && isdigit(r->f.data[r->at]); r->at++)
        x = (x < 0 ? 0 : x < 100000 ? x : 100000) * 10 + (r->f.data[r->at] - '0');
    return x;
}

static void read_flags(reader *r, spec *s)
{
    for (; r->at < r->f.len; r->at++)
        switch (r->f.data[r->at]) {
        case '-':
        case '<': s->left = true; break;
        case '>': break;
        case '^': s->centre = true; break;
        case '+': s->plus = true; break;
        case ' ': s->space = true; break;
        case '#': s->alternate = true; break;
        case '0': s->zero = true; break;
        case ',':
        case '\'':
        case '_': s->group = (char)r->f.data[r->at]; break;
        default: return;
        }
}

typedef struct printing {
    const scalar_args *args;
    uint32_t row, next; /* the argument that comes next */
    bytes *out;
} printing;

static nrw_status take_value(printing *p, uint32_t k, value *v, nrw_error *err)
{
    if (k >= p->args->n)
        return err_set(err, NRW_E_VALUE, "a format asks for more values than there are");
    const vector *x = p->args->at[k];
    v->t = &x->type;
    v->bytes = flat_span(x, ROW(p->args, k, p->row));
    return NRW_OK;
}

/* Width and precision: digits, or * for the next argument. */
static nrw_status read_count(printing *p, reader *r, int *out, nrw_error *err)
{
    value v;
    bool negative;

    if (!next_is(r, '*')) {
        *out = read_int(r);
        return NRW_OK;
    }
    TRY(take_value(p, p->next++, &v, err));
    if (!is_integer(v.t))
        return mismatch(&v, '*', err);
    *out = (int)magnitude(&v, &negative);
    return NRW_OK;
}

static nrw_status read_spec(printing *p, reader *r, spec *s, nrw_error *err)
{
    *s = (spec){.width = -1, .precision = -1};
    read_flags(r, s);
    TRY(read_count(p, r, &s->width, err));
    read_flags(r, s);
    if (next_is(r, '.')) {
        TRY(read_count(p, r, &s->precision, err));
        if (s->precision < 0 && r->at < r->f.len && r->f.data[r->at] == 'd')
            s->group = '.'; /* "%.d" */
        else if (s->precision < 0)
            s->precision = 0;
    }
    if (s->width > 1000000)
        return err_set(err, NRW_E_VALUE, "a format asks for a width of more than 1,000,000");
    return NRW_OK;
}

static nrw_status print_printf(printing *p, span f, nrw_error *err)
{
    reader r = {f, 0};

    while (r.at < f.len) {
        spec s;
        value v;
        if (!next_is(&r, '%')) {
            TRY(bytes_append(p->out, f.data + r.at++, 1, err));
            continue;
        }
        if (next_is(&r, '%')) {
            TRY(bytes_append(p->out, "%", 1, err));
            continue;
        }
        TRY(read_spec(p, &r, &s, err));
        while (r.at < f.len && strchr("hljzt", f.data[r.at]))
            r.at++;
        if (r.at >= f.len)
            return err_set(err, NRW_E_VALUE, "printf: the format ends within a %%");
        s.sign = (char)f.data[r.at++];
        TRY(take_value(p, p->next++, &v, err));
        TRY(put_value(p->out, &s, &v, err));
    }
    return NRW_OK;
}

static nrw_status print_braces(printing *p, span f, nrw_error *err)
{
    reader r = {f, 0};

    while (r.at < f.len) {
        spec s = {.width = -1, .precision = -1};
        value v;
        int k;
        if (next_is(&r, '}')) {
            if (!next_is(&r, '}'))
                return err_set(err, NRW_E_VALUE, "format: a } stands alone");
            TRY(bytes_append(p->out, "}", 1, err));
            continue;
        }
        if (!next_is(&r, '{')) {
            TRY(bytes_append(p->out, f.data + r.at++, 1, err));
            continue;
        }
        if (next_is(&r, '{')) {
            TRY(bytes_append(p->out, "{", 1, err));
            continue;
        }
        k = read_int(&r);
        TRY(take_value(p, k < 0 ? p->next++ : (uint32_t)k + 1, &v, err));
        if (next_is(&r, ':')) {
            TRY(read_spec(p, &r, &s, err));
            if (r.at < f.len && isalpha(f.data[r.at]))
                s.sign = (char)f.data[r.at++];
            if (s.precision >= 0 && is_integer(v.t))
                return err_set(err, NRW_E_VALUE, "format: an integer has no precision");
            /* texts stand at the left, numbers at the right */
            s.left |= !type_is_numeric(v.t) && s.sign != 'd' && memchr(f.data, '>', r.at) == NULL;
        }
        if (!next_is(&r, '}'))
            return err_set(err, NRW_E_VALUE, "format: a { is not closed");
        TRY(put_value(p->out, &s, &v, err));
    }
    return NRW_OK;
}

static nrw_status format_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bytes row = bytes_init(args->m, INT32_MAX);
    text_out t = {.out = out};
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        printing p = {.args = args, .row = i, .next = 1, .out = &row};
        if (!row_valid(out, i))
            continue;
        bytes_clear(&row);
        st = e->f->name[0] == 'p' ? print_printf(&p, TEXT(0), err) : print_braces(&p, TEXT(0), err);
        if (st == NRW_OK)
            st = text_put(&t, i, row.data, row.len, err);
    }
    text_end(&t);
    bytes_release(&row);
    return st;
}

static nrw_status format_bind(binding *b, nrw_error *err)
{
    for (uint32_t i = 1; i < b->n; i++)
        if (type_is_nested(&b->want[i]))
            return bind_fail(err, "%s: lists, structs and maps are not formatted", b->name);
    return NRW_OK;
}

static const function rows[] = {
    {"printf", "s", "s", format_eval, FAILS, format_bind},
    {"printf", "s*+", "s", format_eval, FAILS, format_bind},
    {"format", "s", "s", format_eval, FAILS, format_bind},
    {"format", "s*+", "s", format_eval, FAILS, format_bind},
};

const function_set functions_format = FUNCTION_SET(rows);
