/* A compressed block is a row of chunks: four bytes of length (the top bit: stored as it is), then
 * the LZ4 data of CHUNK bytes of content, less in the last one. So writing and reading need one
 * chunk of memory, whatever the block's size. */
#include "io/spill.h"

#include "base/fault.h"
#include "base/text.h"
#include "io/extents.h"
#include "io/spill_own.h"
#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* for the size of the streaming state */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#define CHUNK     ((size_t)64 << 10)
#define CHUNK_RAW 0x80000000u
/* the chunk on disk with its length, and behind it the content */
#define DISK_SIZE (LZ4_COMPRESSBOUND(CHUNK) + 8)
#define SCRATCH   (DISK_SIZE + CHUNK)
/* An emptied file up to this size is written over from the start, a larger one cut first. */
#define KEEP_EMPTY ((uint64_t)1 << 20)
/* Giving space back waits for the disk, which may be busy writing that very space. So a file keeps
 * what was freed until more than this part of the limit was written. */
#define KEEP_PART 4
/* Small files are gone before the system writes them to the disk. Of one that is larger, each piece
 * is begun to be written when the next one is whole and nobody writes to it any more, mostly: the
 * system by itself begins late, and then lets everybody wait. */
#define BEGIN_FROM  ((uint64_t)512 << 20)
#define BEGIN_PIECE SYS_BEGIN_BYTES

struct spill {
    mem *m;
    char *dir;
    uint64_t limit;
    pthread_mutex_t lock; /* guards what is up to fd */
    extents extents;
    uint64_t used;
    uint64_t idle;     /* freed, but still the file's, at most */
    uint64_t anew;     /* what had been written when the file was empty last */
    uint32_t punching; /* ranges that are being given back */
    _Atomic uint64_t written;
    _Atomic uint64_t begun; /* the position up to which the disk was asked to write */
    _Atomic int fd;
    /* One buffer that is always there, so that blocks can be read back when memory is short. */
    pthread_mutex_t scratch_lock;
    _Atomic(uint8_t *) scratch;
};

nrw_status spill_new(mem *m, const char *dir, uint64_t limit, spill **out, nrw_error *err)
{
    spill *s;
    nrw_status st;
    size_t len;
    void *p;

    *out = NULL;
    if (!dir)
        dir = sys_temp_folder();
    len = strlen(dir) + 1;
    TRY(mem_zalloc(m, sizeof *s, &p, err));
    s = p;
    st = mem_alloc(m, len, &p, err);
    if (st < 0) {
        mem_free(m, s, sizeof *s);
        return st;
    }
    s->dir = memcpy(p, dir, len);
    s->m = m;
    s->limit = limit;
    s->fd = -1;
    extents_init(&s->extents);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->scratch_lock, NULL);
    *out = s;
    return NRW_OK;
}

void spill_close(spill *s)
{
    if (!s)
        return;
    sys_close(s->fd);
    mem_free(s->m, s->scratch, SCRATCH);
    mem_free(s->m, s->dir, strlen(s->dir) + 1);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->scratch_lock);
    mem_free(s->m, s, sizeof *s);
}

static nrw_status over_limit(const spill *s, uint64_t len, nrw_error *err)
{
    char more[TEXT_NUMBER], use[2 * TEXT_NUMBER], option[TEXT_NUMBER];
    uint64_t need = s->used + len < len ? UINT64_MAX : s->used + len;

    err_next(err, "give --spill-limit %s or more", text_size_option(need, option));
    return err_set(err, NRW_E_IO, "spilling needs %s more, %s are in use", text_size(len, more),
                   text_size_of(s->used, s->limit, use));
}

static nrw_status open_once(spill *s, nrw_error *err)
{
    int fd;

    if (s->fd >= 0)
        return NRW_OK;
    TRY(sys_open_unnamed(s->dir, &fd, err));
    s->fd = fd;
    return NRW_OK;
}

static void punch(spill *s, uint64_t from, uint64_t to)
{
    if (to <= from)
        return;
    fault_change(s->fd);
    (void)!fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                     (off_t)(to - from));
}

/* All that is idle goes back. */
static void sweep(spill *s)
{
    uint64_t at = 0, from, to;

    while (extents_dead(&s->extents, at, &from, &to)) {
        punch(s, from, to);
        at = to;
    }
    s->idle = 0;
}

static nrw_status take(spill *s, uint64_t len, uint64_t *offset, nrw_error *err)
{
    nrw_status st;

    *offset = 0;
    pthread_mutex_lock(&s->lock);
    if (s->idle && (len > s->limit || s->used + s->idle > s->limit - len))
        sweep(s);
    if (s->used > s->limit || len > s->limit - s->used || len > INT64_MAX - s->extents.end)
        st = over_limit(s, len, err);
    else
        st = open_once(s, err);
    if (st == NRW_OK) {
        *offset = extents_take(&s->extents, len);
        s->used += len;
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}

/* Nothing is in use: start again at the front. Under the lock, so nobody has a position. */
static void restart(spill *s)
{
    if (s->punching)
        return;
    fault_change(s->fd);
    if (s->extents.end > KEEP_EMPTY && ftruncate(s->fd, 0) < 0)
        return;
    extents_init(&s->extents);
    s->anew = s->written;
    s->begun = s->idle = 0;
}

static void give(spill *s, uint64_t offset, uint64_t len)
{
    uint64_t from = 0, to = 0;
    bool dead;

    pthread_mutex_lock(&s->lock);
    s->used -= len;
    dead = extents_give(&s->extents, offset, len, &from, &to);
    if (s->written - s->anew <= s->limit / KEEP_PART) {
        s->idle += len;
        dead = false;
    }
    if (!s->used) {
        restart(s);
        dead = false;
    }
    s->punching += dead;
    pthread_mutex_unlock(&s->lock);
    if (!dead)
        return;
    punch(s, from, to); /* positions are not given out twice before a restart */
    pthread_mutex_lock(&s->lock);
    s->punching--;
    pthread_mutex_unlock(&s->lock);
}

static void begin_writing(spill *s, uint64_t to)
{
    uint64_t from = s->begun;

    to = to < BEGIN_PIECE ? 0 : to - BEGIN_PIECE - to % BEGIN_PIECE;
    if (to <= from || s->written < BEGIN_FROM ||
        !atomic_compare_exchange_strong(&s->begun, &from, to))
        return;
    from = to - from > BEGIN_PIECE ? to - BEGIN_PIECE : from;
    sys_begin_write(s->fd, from, to);
}

static nrw_status put(spill *s, uint64_t offset, const void *data, size_t len, nrw_error *err)
{
    size_t done;
    int e = sys_write_at(s->fd, offset, data, len, &done);

    atomic_fetch_add_explicit(&s->written, done, memory_order_relaxed);
    if (!e) {
        begin_writing(s, offset + done);
        return NRW_OK;
    }
    err_at_object(err, s->dir);
    err_next(err, "--spill-dir names another folder");
    return sys_write_error(s->fd, e, len, done, "spilling: ", err);
}

static nrw_status get(spill *s, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    size_t done;
    int e = sys_read_at(s->fd, offset, dst, len, &done);

    if (!e && done == len)
        return NRW_OK;
    err_at_object(err, s->dir);
    if (e)
        return err_errno(err, NRW_E_IO, e, "cannot read the spill file");
    return err_set(err, NRW_E_IO, "the spill file ends early");
}

static nrw_status damaged(const spill *s, nrw_error *err)
{
    err_at_object(err, s->dir);
    return err_set(err, NRW_E_IO, "a block of the spill file came back damaged");
}

/* A buffer of SCRATCH bytes: a fresh one, or the one that is kept. NULL before there is any. */
static uint8_t *scratch_take(spill *s)
{
    uint8_t *p = mem_try_alloc(s->m, SCRATCH);

    if (p || !s->scratch)
        return p;
    pthread_mutex_lock(&s->scratch_lock);
    return s->scratch;
}

static void scratch_give(spill *s, uint8_t *p)
{
    if (p && p == s->scratch)
        pthread_mutex_unlock(&s->scratch_lock);
    else
        mem_free(s->m, p, SCRATCH);
}

/* Makes the buffer that is kept; false: there is no memory, blocks are stored as they are. */
static bool can_compress(spill *s)
{
    uint8_t *none = NULL, *p;

    if (s->scratch)
        return true;
    p = mem_try_alloc(s->m, SCRATCH);
    if (p && !atomic_compare_exchange_strong(&s->scratch, &none, p))
        mem_free(s->m, p, SCRATCH);
    return s->scratch != NULL;
}

/* One chunk into `disk` with its length in front; its size there. */
static size_t pack_chunk(const uint8_t *data, size_t len, uint8_t *disk)
{
    int n =
        LZ4_compress_default((const char *)data, (char *)disk + 4, (int)len, (int)(DISK_SIZE - 4));

    if (n > 0 && (size_t)n < len - len / 16) {
        store_u32(disk, (uint32_t)n);
        return (size_t)n + 4;
    }
    store_u32(disk, (uint32_t)len | CHUNK_RAW);
    memcpy(disk + 4, data, len);
    return len + 4;
}

/* *stored is 0 where it does not pay. */
static nrw_status write_packed(spill *s, span data, uint64_t offset, uint8_t *scratch,
                               spill_block *out, nrw_error *err)
{
    XXH3_state_t hash;

    XXH3_64bits_reset(&hash);
    out->stored = 0;
    for (size_t at = 0; at < data.len; at += CHUNK) {
        size_t n = size_min(CHUNK, data.len - at), size = pack_chunk(data.data + at, n, scratch);
        if ((at == 0 && size > n - n / 8) || out->stored + size >= data.len) {
            out->stored = 0;
            return NRW_OK;
        }
        TRY(put(s, offset + out->stored, scratch, size, err));
        XXH3_64bits_update(&hash, scratch, size);
        out->stored += size;
    }
    out->checksum = XXH3_64bits_digest(&hash);
    return NRW_OK;
}

static nrw_status write_block(spill *s, span data, bool compress, spill_block *out, nrw_error *err)
{
    if (compress) {
        uint8_t *scratch = scratch_take(s);
        nrw_status st = write_packed(s, data, out->offset, scratch, out, err);
        scratch_give(s, scratch);
        if (st < 0 || out->stored)
            return st;
    }
    TRY(put(s, out->offset, data.data, data.len, err));
    out->stored = data.len;
    out->checksum = XXH3_64bits(data.data, data.len);
    return NRW_OK;
}

/* A block of one chunk is packed before its place is taken, so that blocks lie without gaps.
 * out->stored is 0 where packing does not pay. */
static nrw_status write_one(spill *s, span data, spill_block *out, nrw_error *err)
{
    uint8_t *scratch = scratch_take(s);
    size_t size = pack_chunk(data.data, data.len, scratch);
    nrw_status st = NRW_OK;

    if (size <= data.len - data.len / 8) {
        st = take(s, size, &out->offset, err);
        if (st >= 0) {
            out->stored = size;
            out->checksum = XXH3_64bits(scratch, size);
            st = put(s, out->offset, scratch, size, err);
            if (st < 0)
                give(s, out->offset, size);
        }
    }
    scratch_give(s, scratch);
    return st;
}

static nrw_status write_many(spill *s, span data, bool compress, spill_block *out, nrw_error *err)
{
    nrw_status st;

    TRY(take(s, data.len, &out->offset, err));
    st = write_block(s, data, compress, out, err);
    if (st < 0)
        give(s, out->offset, data.len);
    else if (out->stored < data.len)
        give(s, out->offset + out->stored, data.len - out->stored);
    return st;
}

nrw_status spill_write(spill *s, span data, bool compress, spill_block *out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    *out = (spill_block){.len = data.len};
    compress = compress && data.len > 64 && can_compress(s);
    if (compress && data.len <= CHUNK)
        st = write_one(s, data, out, err);
    if (st >= 0 && !out->stored)
        st = write_many(s, data, compress && data.len > CHUNK, out, err);
    if (st < 0)
        *out = (spill_block){0};
    return st;
}

static nrw_status stream_raw(spill *s, const spill_block *b, uint8_t *scratch, spill_sink sink,
                             void *ctx, nrw_error *err)
{
    XXH3_state_t hash;

    XXH3_64bits_reset(&hash);
    for (uint64_t at = 0; at < b->len;) {
        size_t n = b->len - at < SCRATCH ? (size_t)(b->len - at) : SCRATCH;
        TRY(get(s, b->offset + at, scratch, n, err));
        XXH3_64bits_update(&hash, scratch, n);
        TRY(sink(ctx, (span){scratch, n}, err));
        at += n;
    }
    return XXH3_64bits_digest(&hash) == b->checksum ? NRW_OK : damaged(s, err);
}

/* Reads a chunk's data and, where there is one, the next chunk's length behind it. */
static nrw_status unpack_chunk(spill *s, uint64_t offset, uint32_t head, size_t tail,
                               uint8_t *scratch, size_t want, nrw_error *err)
{
    size_t size = head & ~CHUNK_RAW;
    uint8_t *content = scratch + DISK_SIZE;

    if (size > DISK_SIZE - 8)
        return damaged(s, err);
    TRY(get(s, offset, scratch, size + tail, err));
    if (head & CHUNK_RAW) {
        if (size != want)
            return damaged(s, err);
        memcpy(content, scratch, want);
        return NRW_OK;
    }
    if (LZ4_decompress_safe((char *)scratch, (char *)content, (int)size, (int)CHUNK) != (int)want)
        return damaged(s, err);
    return NRW_OK;
}

static nrw_status stream_packed(spill *s, const spill_block *b, uint8_t *scratch, spill_sink sink,
                                void *ctx, nrw_error *err)
{
    uint64_t at = b->offset + 4, left = b->len;
    XXH3_state_t hash;
    uint8_t head[4];

    XXH3_64bits_reset(&hash);
    TRY(get(s, b->offset, head, 4, err));
    XXH3_64bits_update(&hash, head, 4);
    while (left) {
        size_t want = left < CHUNK ? (size_t)left : CHUNK, tail = left > CHUNK ? 4 : 0;
        size_t size = load_u32(head) & ~CHUNK_RAW;
        TRY(unpack_chunk(s, at, load_u32(head), tail, scratch, want, err));
        XXH3_64bits_update(&hash, scratch, size + tail);
        memcpy(head, scratch + size, tail);
        at += size + tail;
        left -= want;
        TRY(sink(ctx, (span){scratch + DISK_SIZE, want}, err));
    }
    return XXH3_64bits_digest(&hash) == b->checksum ? NRW_OK : damaged(s, err);
}

nrw_status spill_stream(spill *s, const spill_block *b, spill_sink sink, void *ctx, nrw_error *err)
{
    uint8_t *scratch = scratch_take(s);
    void *p = scratch;
    nrw_status st;

    if (!scratch)
        TRY(mem_alloc(s->m, SCRATCH, &p, err));
    st = b->stored == b->len ? stream_raw(s, b, p, sink, ctx, err)
                             : stream_packed(s, b, p, sink, ctx, err);
    scratch_give(s, p);
    return st;
}

static nrw_status copy_out(void *ctx, span piece, nrw_error *err)
{
    uint8_t **at = ctx;

    (void)err;
    memcpy(*at, piece.data, piece.len);
    *at += piece.len;
    return NRW_OK;
}

nrw_status spill_read(spill *s, const spill_block *b, void *dst, nrw_error *err)
{
    uint8_t *at = dst;

    if (b->stored != b->len)
        return spill_stream(s, b, copy_out, &at, err);
    TRY(get(s, b->offset, dst, b->len, err));
    return XXH3_64bits(dst, b->len) == b->checksum ? NRW_OK : damaged(s, err);
}

void spill_free(spill *s, const spill_block *b)
{
    give(s, b->offset, b->stored);
}

nrw_status spill_region(spill *s, uint64_t len, uint64_t *offset, nrw_error *err)
{
    return take(s, len, offset, err);
}

nrw_status spill_region_write(spill *s, uint64_t offset, span data, nrw_error *err)
{
    return put(s, offset, data.data, data.len, err);
}

nrw_status spill_region_read(spill *s, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    return get(s, offset, dst, len, err);
}

void spill_region_free(spill *s, uint64_t offset, uint64_t len)
{
    give(s, offset, len);
}

bool spill_spare(const spill *s, uint64_t len)
{
    uint64_t used = spill_used(s), most = s->limit / 2;

    return used < most && len <= most - used;
}

int spill_fd(const spill *s)
{
    return s->fd;
}

uint64_t spill_used(const spill *s)
{
    uint64_t used;

    pthread_mutex_lock((pthread_mutex_t *)&s->lock);
    used = s->used;
    pthread_mutex_unlock((pthread_mutex_t *)&s->lock);
    return used;
}

uint64_t spill_written(const spill *s)
{
    return s->written;
}
