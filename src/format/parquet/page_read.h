/* The pages of one column chunk: their headers, walked in file order through a read-ahead window,
 * and their bodies.
 *
 * A body comes from a compressed page that lies whole in the window, if the account has room for
 * both; what does not fit is decompressed by stream, into memory or a spill region; an
 * uncompressed page that does not fit stays in the file. The window grows to the page. */
#ifndef PARQUET_PAGE_READ_H
#define PARQUET_PAGE_READ_H

#include "codec/codec.h"
#include "format/parquet/body.h"
#include "format/parquet/meta.h"

typedef struct page_reader {
    mem *m;
    spill *s;
    io_file *f;
    bool verify_crc;
    uint32_t decode_most; /* what decompressing a page takes as a rule; 0: nobody knows */
    uint64_t ahead_end;   /* bytes from here on are read only when they are needed */
    size_t read_ahead;
    size_t headroom;  /* left in the account when a page is held in memory; PAGE_HEADROOM */
    uint64_t at, end; /* of the next header in the file; of the chunk */
    int32_t codec_id;
    bool has_ctx;
    codec_ctx ctx;
    buffer *window; /* file bytes [window_at, window_at + window->len) */
    uint64_t window_at;
    buffer *spare; /* a body's buffer, to be used again once nobody else holds it */
    uint64_t decompressed;
} page_reader;

/* Room left in an account for what decoding a page in memory takes besides. */
#define PAGE_HEADROOM ((size_t)64 << 10)

/* The header at p->at, which stays; NRW_END at the chunk's end. `hint`: how much to read if the
 * window must be filled (at most read_ahead). */
nrw_status page_header(page_reader *p, size_t hint, pq_page *out, nrw_error *err);
/* The body of that page: levels and values, decompressed. */
nrw_status page_body(page_reader *p, const pq_page *h, body *out, nrw_error *err);
/* The stored bytes of that page as they are, front to back, in pieces that last until the next
 * call; *crc: their checksum. `visit` NULL: only that. A page that the window can hold is read
 * once, however often it is asked for. */
typedef nrw_status (*page_visit)(void *self, span piece, nrw_error *err);
nrw_status page_stored(page_reader *p, const pq_page *h, page_visit visit, void *self,
                       uint32_t *crc, nrw_error *err);
/* NRW_E_CORRUPT where the header says another checksum than `crc`. */
nrw_status page_check_crc(const pq_page *h, uint32_t crc, nrw_error *err);
/* Moves on behind that page. */
void page_pass(page_reader *p, const pq_page *h);
/* Releases a body, keeping its buffer for the next page if nobody else holds it. */
void page_recycle(page_reader *p, body *b);
/* What must stay free beside pages and dictionaries that are held in memory: also the codec's
 * tables, as long as there are none. */
uint64_t page_keeps_free(const page_reader *p);
/* Frees all memory; `at` stays. */
void page_park(page_reader *p);

#endif
