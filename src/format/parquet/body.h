/* The bytes of a page as decoders see them: in memory, in a spill region, or (an uncompressed page
 * that does not fit) still in the file; and cursors that walk over them.
 *
 * A cursor gives contiguous bytes: of a body in memory all that is left, else a window that is
 * refilled. Decoders ask with cursor_need and run over [p, end), so each is written once. */
#ifndef PARQUET_BODY_H
#define PARQUET_BODY_H

#include "base/buffer.h"
#include "io/file.h"
#include "io/spill.h"

typedef enum body_kind { BODY_NONE, BODY_MEMORY, BODY_REGION, BODY_FILE } body_kind;

typedef struct body {
    body_kind kind;
    size_t len;
    const uint8_t *data; /* memory: BUFFER_SLACK bytes behind len may be read */
    buffer *buf;         /* memory: holds data */
    spill *s;            /* region */
    io_file *f;          /* file */
    uint64_t at;         /* of byte 0, in the spill file or the file */
} body;

/* Takes buf. */
body body_memory(buffer *buf, const uint8_t *data, size_t len);
/* Takes the region, which is freed with the body. */
body body_region(spill *s, uint64_t at, size_t len);
body body_file(io_file *f, uint64_t at, size_t len);
nrw_status body_read(const body *b, size_t pos, void *dst, size_t n, nrw_error *err) NRW_CHECKED;
/* Lays a body that is in memory down in a region of s. Its cursors have slept before. */
nrw_status body_spill(body *b, spill *s, nrw_error *err) NRW_CHECKED;
void body_release(body *b);

/* Windows are as large as the account allows, between these two. */
#define CURSOR_WINDOW     ((size_t)64 << 10)
#define CURSOR_WINDOW_MIN ((size_t)4 << 10)
/* The most that cursor_need may ask for. */
#define CURSOR_NEED_MAX 4096

typedef struct cursor {
    const uint8_t *p, *end; /* at hand; BUFFER_SLACK bytes behind end may be read */
    const body *b;
    size_t next, limit; /* positions in the body: of `end`, and where the stream ends */
    uint8_t *window;
    size_t window_cap;
    mem *m;
} cursor;

/* Bytes [from, to) of b, which must outlive the cursor's use. A window that the cursor still has
 * is used again; all zero is a valid cursor without one. */
void cursor_open(cursor *c, mem *m, const body *b, size_t from, size_t to);
void cursor_close(cursor *c);
/* Frees the window; the place stays. cursor_wake gets one again, unless the body is in memory. */
void cursor_sleep(cursor *c);
nrw_status cursor_wake(cursor *c, nrw_error *err) NRW_CHECKED;

static inline size_t cursor_at_hand(const cursor *c)
{
    return (size_t)(c->end - c->p);
}

static inline size_t cursor_left(const cursor *c)
{
    return cursor_at_hand(c) + (c->limit - c->next);
}

/* Position of p in the body. */
static inline size_t cursor_pos(const cursor *c)
{
    return c->next - cursor_at_hand(c);
}

nrw_status cursor_fill(cursor *c, size_t n, nrw_error *err);

/* At least n bytes (at most CURSOR_NEED_MAX), or all that are left where these are fewer, are then
 * at hand. */
static inline nrw_status cursor_need(cursor *c, size_t n, nrw_error *err)
{
    if (cursor_at_hand(c) >= n || c->next == c->limit)
        return NRW_OK;
    return cursor_fill(c, n, err);
}

/* Both: NRW_E_CORRUPT where fewer bytes are left. */
nrw_status cursor_copy(cursor *c, void *dst, size_t n, nrw_error *err) NRW_CHECKED;
nrw_status cursor_skip(cursor *c, uint64_t n, nrw_error *err) NRW_CHECKED;
/* ULEB128 of at most 64 bits. */
nrw_status cursor_varint(cursor *c, uint64_t *out, nrw_error *err) NRW_CHECKED;

#endif
