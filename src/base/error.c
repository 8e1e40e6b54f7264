#include "base/error.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NARROWS_VERSION "0.1.0"

const char *nrw_version(void)
{
    return NARROWS_VERSION;
}

const char *nrw_status_text(nrw_status status)
{
    switch (status) {
#define CASE(name, value, err, text)                                                               \
    case name: return text;
        NRW_STATUS_MAP(CASE)
#undef CASE
    }
    return "unknown status";
}

int nrw_status_errno(nrw_status status)
{
    switch (status) {
#define CASE(name, value, err, text)                                                               \
    case name: return err;
        NRW_STATUS_MAP(CASE)
#undef CASE
    }
    return EINVAL;
}

/* Names that files give may hold anything: what is no UTF-8 and what would move a terminal's cursor
 * becomes a question mark. */
static void clean(char *text)
{
    size_t len = strlen(text), valid = 0;

    for (size_t i = 0; i < len; i++) {
        if (i == valid)
            valid = i + utf8_valid_prefix(text + i, len - i);
        if (i == valid || (unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            text[i] = '?';
            valid = valid > i ? valid : i + 1;
        }
    }
}

nrw_status nrw_error_set(nrw_error *err, nrw_status status, const char *message)
{
    return err_set(err, status, "%s", message);
}

nrw_status err_set(nrw_error *err, nrw_status st, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return st;
    err->status = st;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    clean(err->message);
    return st;
}

nrw_status err_errno(nrw_error *err, nrw_status st, int os_errno, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    if (!err)
        return st;
    err->status = st;
    err->os_errno = os_errno;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, ": %s", strerrordesc_np(os_errno));
    clean(err->message);
    return st;
}

nrw_status err_wrap(nrw_error *err, nrw_status st, const char *fmt, ...)
{
    char old[sizeof err->message];
    va_list ap;
    size_t n;

    if (!err)
        return st;
    memcpy(old, err->message, sizeof old);
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    n = strlen(err->message);
    snprintf(err->message + n, sizeof err->message - n, ": %.*s", (int)sizeof old - 1, old);
    clean(err->message);
    return st;
}

void err_next(nrw_error *err, const char *fmt, ...)
{
    va_list ap;

    if (!err || err->next[0])
        return;
    va_start(ap, fmt);
    vsnprintf(err->next, sizeof err->next, fmt, ap);
    va_end(ap);
}

static void fill_text(char *dst, size_t cap, const char *src)
{
    if (!dst[0] && src)
        snprintf(dst, cap, "%s", src);
}

void err_at_object(nrw_error *err, const char *object)
{
    if (err)
        fill_text(err->object, sizeof err->object, object);
}

void err_at_column(nrw_error *err, const char *column)
{
    if (!err)
        return;
    fill_text(err->column, sizeof err->column, column);
    clean(err->column);
}

void err_at_offset(nrw_error *err, int64_t offset)
{
    if (err && err->offset < 0)
        err->offset = offset;
}

void err_at_row_group(nrw_error *err, int32_t row_group)
{
    if (err && err->row_group < 0)
        err->row_group = row_group;
}

void err_at_page(nrw_error *err, int64_t page)
{
    if (err && err->page < 0)
        err->page = page;
}

void err_at_row(nrw_error *err, int64_t row)
{
    if (err && err->row < 0)
        err->row = row;
}

void err_at_block(nrw_error *err, int64_t block, int64_t record)
{
    if (!err || err->block >= 0)
        return;
    err->block = block;
    err->record = record;
}

/* 81203114 -> "81,203,114", as the messages of the command print byte positions */
static const char *grouped(int64_t n, char buf[32])
{
    char digits[24];
    size_t len, out = 0;

    snprintf(digits, sizeof digits, "%lld", (long long)n);
    len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = digits[i];
    }
    buf[out] = '\0';
    return buf;
}

typedef struct text_out {
    char *data;
    size_t cap, len;
} text_out;

static void put(text_out *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put(text_out *t, const char *fmt, ...)
{
    size_t room = t->len < t->cap ? t->cap - t->len : 0;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(room ? t->data + t->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->len += (size_t)n;
}

size_t nrw_error_print(const nrw_error *err, char *out, size_t cap)
{
    text_out t = {out, cap, 0};
    const char *sep = "";
    char num[32];

    if (cap)
        out[0] = '\0';
    if (err->object[0])
        put(&t, "%s", err->object), sep = ", ";
    if (err->row_group >= 0)
        put(&t, "%srow group %d", sep, err->row_group), sep = ", ";
    if (err->block >= 0)
        put(&t, "%sblock %s", sep, grouped(err->block, num)), sep = ", ";
    if (err->record >= 0)
        put(&t, "%srecord %s", sep, grouped(err->record, num)), sep = ", ";
    if (err->column[0])
        put(&t, "%scolumn %s", sep, err->column), sep = ", ";
    if (err->page >= 0)
        put(&t, "%spage %s", sep, grouped(err->page, num)), sep = ", ";
    if (err->offset >= 0)
        put(&t, "%sbyte %s", sep, grouped(err->offset, num)), sep = ", ";
    if (err->row >= 0)
        put(&t, "%srow %s", sep, grouped(err->row, num)), sep = ", ";
    put(&t, "%s%s", *sep ? ": " : "",
        err->message[0] ? err->message : nrw_status_text(err->status));
    if (err->next[0])
        put(&t, "; %s", err->next);
    if (cap)
        clean(out);
    return t.len;
}
