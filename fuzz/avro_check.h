/* What must hold of any bytes that are read as an Avro file.
 *
 * All columns are read: as a job does, by another batch shape and with damage left out (which must
 * give the same rows), and verified. Some columns are read: the same values, the others passed
 * over. Rows that can be read are written, and what was written is
 * read again: the same rows. */
#ifndef FUZZ_AVRO_CHECK_H
#define FUZZ_AVRO_CHECK_H

#include "base/hash.h"
#include "format/avro/avro.h"
#include "placed.h"
#include "vectors.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_MEMORY = 64 << 20, MOST_COLUMNS = 12, MOST_ROWS = 100000, MOST_FAULTS = 100 };

/* What came of a reading. */
typedef struct result {
    nrw_status st;
    nrw_error err;
    int64_t rows;
    uint64_t hash; /* of all values, in order, column by column */
    uint64_t of[MOST_COLUMNS];
    int64_t lost;
    bool opened;    /* header and schema are sound */
    bool cut_short; /* more rows than are worth it */
} result;

typedef struct input {
    mem *m;
    span file;
    bool damage; /* is left out */
    uint32_t max_rows;
    size_t batch_bytes;
    uint32_t some; /* a bit for each column that is read; 0: all */
    writer *to;    /* the rows go there, too */
} input;

static uint64_t hash_value(const vector *v, uint32_t row, uint64_t hash)
{
    const vector *flat = v;
    bool null;

    if (v->form != VECTOR_FLAT || !type_is_nested(&v->type)) {
        span x = vector_value(v, row, &null);
        return null ? hash_combine(hash, 1) : hash_combine(hash, hash_bytes(x.data, x.len));
    }
    if (!vector_is_valid(flat, row))
        return hash_combine(hash, 1);
    if (v->type.id == TYPE_STRUCT) {
        for (uint32_t c = 0; c < v->n_children; c++)
            hash = hash_value(&v->children[c], row, hash);
        return hash_combine(hash, 2);
    }
    for (uint32_t i = vector_offsets(v)[row]; i < vector_offsets(v)[row + 1]; i++)
        for (uint32_t c = 0; c < v->n_children; c++)
            hash = hash_value(&v->children[c], i, hash);
    return hash_combine(hash, 3);
}

static void hash_values(void *self, uint32_t column, const vector *v)
{
    result *out = self;

    for (uint32_t i = 0; i < v->len; i++)
        out->of[column] = hash_value(v, i, out->of[column]);
}

/* One morsel, as a pipeline carries it. */
static nrw_status carry(input *x, reader *r, batch *b, uint32_t n, result *out, nrw_error *err)
{
    const uint32_t rows = b->rows;

    for (b->offset = 0;; b->offset += b->rows) {
        nrw_status st = NRW_OK;
        b->rows = rows - b->offset;
        b->last = true;
        b->n_cols = n;
        for (uint32_t i = 0; i < n; i++)
            b->cols[i] = (batch_column){.tag = i};
        if (b->source && b->source->begin)
            st = b->source->begin(b->source_self, b, err);
        if (st >= 0)
            st = x->to ? x->to->class->push(x->to, b, err) : walk_batch(b, hash_values, out, err);
        out->rows += st >= 0 ? b->rows : 0;
        if (st < 0)
            batch_abandon(b);
        else
            batch_release(b);
        if (st < 0 || b->last)
            return st;
        hold(b->rows > 0);
        (void)r;
    }
}

static nrw_status read_rows(input *x, reader *r, uint32_t n, result *out, nrw_error *err)
{
    batch_column cols[MOST_COLUMNS];
    nrw_status st = NRW_OK;

    for (uint64_t morsel = 0; st == NRW_OK; morsel++) {
        batch b = {.morsel = morsel, .m = x->m, .cols = cols};
        st = r->class->next(r, &b, err);
        if (st != NRW_OK)
            break;
        hold(b.rows > 0 && b.first_row >= 0);
        if (b.rows > MOST_ROWS || b.first_row > MOST_ROWS) { /* records without bytes */
            out->cut_short = true;
            b.last = true;
            b.n_cols = n;
            for (uint32_t i = 0; i < n; i++)
                cols[i] = (batch_column){.tag = i};
            batch_release(&b);
            break;
        }
        st = carry(x, r, &b, n, out, err);
    }
    return st < 0 ? st : NRW_OK;
}

static nrw_status on_damage(void *self, const damage *d, nrw_error *err)
{
    result *out = self;

    (void)err;
    hold(d->rows >= -1 && d->first >= 0 && d->from <= d->to && d->why->message[0]);
    out->lost += d->rows < 0 ? 0 : d->rows;
    return NRW_OK;
}

static nrw_status read_file(input *x, result *out, nrw_error *err)
{
    batch_shape shape = {.max_rows = x->max_rows,
                         .column_bytes = 1 << 14,
                         .batch_bytes = x->batch_bytes,
                         .workers = 1,
                         .damaged = x->damage ? on_damage : NULL,
                         .damaged_self = out};
    uint32_t cols[MOST_COLUMNS], n = 0;
    read_options none = {0};
    mem *grant = NULL;
    reader *r;
    io_file *f;
    nrw_status st;
    budget b;

    TRY(file_open_memory(x->m, "fuzz", x->file, &f, err));
    TRY(format_avro.open(x->m, f, &none, &r, err));
    out->opened = true;
    const schema *s = r->class->schema(r);
    for (uint32_t i = 0; i < s->n_fields && i < MOST_COLUMNS; i++)
        if (!x->some || x->some >> i & 1)
            cols[n++] = i;
    TRY_OUT(r->class->budget(r, cols, n, 1, &b, err));
    TRY_OUT(mem_child(x->m, "reader", b.wish, &grant, err));
    TRY_OUT(r->class->start(r, cols, n, &shape, grant, NULL, err));
    st = read_rows(x, r, n, out, err);
    for (uint32_t i = 0; i < n; i++)
        out->hash = hash_combine(out->hash, out->of[i]);
out:
    r->class->close(r);
    mem_free_account(grant);
    return st;
}

static result read_by(input *x)
{
    result out = {.err = NRW_ERROR_INIT};

    out.st = read_file(x, &out, &out.err);
    if (out.st < 0 && out.opened)
        must_be_placed(out.st, &out.err);
    return out;
}

/* ---- verifying ---- */

static nrw_status on_fault(void *self, const nrw_error *what, nrw_error *err)
{
    must_be_placed(what->status, what);
    return ++*(int *)self > MOST_FAULTS ? err_set(err, NRW_E_CANCELLED, "enough") : NRW_OK;
}

static int faults_of(input *x)
{
    nrw_error err = NRW_ERROR_INIT;
    read_options none = {0};
    verify_counts counts;
    int faults = 0;
    reader *r;
    io_file *f;

    if (file_open_memory(x->m, "fuzz", x->file, &f, &err) < 0 ||
        format_avro.open(x->m, f, &none, &r, &err) < 0)
        return -1;
    if (r->class->verify(r, NULL, x->m, on_fault, &faults, &counts, &err) < 0)
        faults = -1;
    r->class->close(r);
    return faults;
}

/* ---- writing ---- */

/* The target is stdout, which is a file in memory. */
static void to_memory(void)
{
    static bool done;
    int fd;

    if (done)
        return;
    fd = memfd_create("written", 0);
    hold(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    close(fd);
    done = true;
}

/* The rows of x written and read again are those of `first`. */
static void write_and_read(input *x, const schema *s, const result *first, uint32_t hash)
{
    static const char *const codecs[] = {"null", "deflate", "snappy", "zstd", "bzip2", "xz"};
    avro_write_options o = {.codec = avro_codec(codecs[hash % 6]),
                            .block_bytes = hash & 64 ? 1 << 10 : 1 << 17};
    nrw_error err = NRW_ERROR_INIT;
    file_summary sum;
    result again;
    target *to;
    void *copy;

    o.level = o.codec->default_level;
    bytes text = bytes_init(x->m, INT32_MAX);
    const nrw_status st = avro_schema_text(x->m, s, &text, &err);
    bytes_release(&text);
    if (s->n_fields > MOST_COLUMNS || st < 0)
        return;
    hold(ftruncate(STDOUT_FILENO, 0) == 0 && lseek(STDOUT_FILENO, 0, SEEK_SET) == 0);
    hold(target_open(x->m, "-", EXISTS_REPLACE, &to, &err) == NRW_OK);
    hold(avro_writer_open(x->m, to, s, &o, 1, &x->to, &err) == NRW_OK);
    again = read_by(x);
    if (again.st >= 0) {
        hold(x->to->class->finish(x->to, &sum, &err) == NRW_OK && sum.rows == first->rows);
        hold(target_publish(to, &err) == NRW_OK);
    }
    x->to->class->close(x->to);
    target_close(to);
    x->to = NULL;
    if (again.st < 0) {
        hold(again.st == NRW_E_MEMLIMIT);
        return;
    }
    input back = {.m = x->m, .max_rows = x->max_rows, .file.len = (size_t)sum.bytes};
    copy = malloc(back.file.len + 64);
    hold(copy && pread(STDOUT_FILENO, copy, back.file.len, 0) == (ssize_t)back.file.len);
    back.file.data = copy;
    again = read_by(&back);
    hold(again.st == NRW_E_MEMLIMIT ||
         (again.st == NRW_OK && again.rows == first->rows && again.hash == first->hash));
    free(copy);
}

static void check_writing(input *x, const result *first, uint32_t hash)
{
    read_options none = {0};
    reader *r;
    io_file *f;

    if (file_open_memory(x->m, "fuzz", x->file, &f, NULL) < 0 ||
        format_avro.open(x->m, f, &none, &r, NULL) < 0)
        return;
    write_and_read(x, r->class->schema(r), first, hash);
    r->class->close(r);
}

/* What is not wanted decides about nothing. */
static void check_some(input *x, const result *whole, uint32_t hash)
{
    const uint32_t all = (1u << MOST_COLUMNS) - 1;
    result some;

    x->some = hash & all;
    if (!x->some || whole->st < 0 || whole->cut_short)
        return;
    some = read_by(x);
    hold(some.st == NRW_OK || some.st == NRW_E_MEMLIMIT);
    for (uint32_t i = 0, n = 0; some.st == NRW_OK && !some.cut_short && i < MOST_COLUMNS; i++)
        if (x->some >> i & 1)
            hold(some.of[n++] == whole->of[i]);
    x->some = 0;
}

/* Traps where something does not hold. */
static inline void avro_check(const uint8_t *data, size_t size)
{
    const uint32_t hash = (uint32_t)hash_bytes(data, size);
    input x = {.file = {data, size}, .max_rows = BATCH_MAX_ROWS};
    result whole, parts, rest;
    int faults;

    to_memory();
    if (mem_root(MOST_MEMORY, &x.m, NULL) < 0)
        return;
    whole = read_by(&x);
    x.max_rows = 1 + hash % 100;
    x.batch_bytes = 1 + hash % 5000;
    parts = read_by(&x);
    hold((whole.st < 0) == (parts.st < 0) || whole.st == NRW_E_MEMLIMIT ||
         parts.st == NRW_E_MEMLIMIT || whole.cut_short || parts.cut_short);
    if (whole.st == NRW_OK && parts.st == NRW_OK && !whole.cut_short && !parts.cut_short)
        hold(whole.rows == parts.rows && whole.hash == parts.hash);
    check_some(&x, &whole, hash);
    x.damage = true;
    rest = read_by(&x);
    x.max_rows = BATCH_MAX_ROWS;
    x.batch_bytes = 0;
    parts = read_by(&x);
    if (parts.st == NRW_OK && rest.st == NRW_OK && !parts.cut_short && !rest.cut_short)
        hold(parts.rows == rest.rows && parts.hash == rest.hash && parts.lost == rest.lost);
    hold(rest.st != NRW_E_CORRUPT || whole.st == NRW_E_CORRUPT);
    if (whole.st == NRW_OK && rest.st == NRW_OK && !whole.cut_short && !rest.cut_short)
        hold(whole.rows == rest.rows && whole.hash == rest.hash && rest.lost == 0);
    x.damage = false;
    faults = whole.cut_short || rest.cut_short ? -1 : faults_of(&x);
    hold(faults <= 0 || whole.st < 0 || whole.cut_short);
    if (whole.st == NRW_OK && !whole.cut_short)
        check_writing(&x, &whole, hash);
    mem_trim();
    hold(mem_used(x.m) == 0);
    mem_free_account(x.m);
}

#endif
