/* Spill files: memory's other half. One unlinked file a spill, made when first written, so that
 * nothing is left behind even by kill -9. Blocks are checksummed; a block that comes back damaged
 * is NRW_E_IO. Space of freed blocks is given back to the file system (hole punching).
 *
 * Thread-safe: blocks are written at positions reserved atomically. All bytes count against the
 * limit; over it NRW_E_IO says how much would be needed and names --spill-limit. */
#ifndef IO_SPILL_H
#define IO_SPILL_H

#include "base/mem.h"
#include "base/span.h"

typedef struct spill spill;

typedef struct spill_block {
    uint64_t offset;
    uint64_t len;      /* bytes as given */
    uint64_t stored;   /* bytes on disk; less than len: LZ4 block */
    uint64_t checksum; /* XXH3 of the stored bytes */
} spill_block;

/* dir NULL: $TMPDIR, else /var/tmp. `limit` bytes on disk at most. Nothing is created yet. */
nrw_status spill_new(mem *m, const char *dir, uint64_t limit, spill **out, nrw_error *err);
void spill_close(spill *s); /* NULL is fine */

/* Writes a block. `compress`: try LZ4 (state, decoded pages); pages that a codec has seen are not
 * worth it. */
nrw_status spill_write(spill *s, span data, bool compress, spill_block *out, nrw_error *err);
nrw_status spill_read(spill *s, const spill_block *b, void *dst, nrw_error *err);
void spill_free(spill *s, const spill_block *b);

/* A raw region for streams that are written once, front to back, and read through windows (an
 * oversize page): reserve, write pieces, read pieces, free. Not checksummed as a whole; the
 * caller knows the content's own CRC. */
nrw_status spill_region(spill *s, uint64_t len, uint64_t *offset, nrw_error *err);
nrw_status spill_region_write(spill *s, uint64_t offset, span data, nrw_error *err);
nrw_status spill_region_read(spill *s, uint64_t offset, void *dst, size_t len, nrw_error *err);
/* Whether so many bytes more would leave half of the limit: for what only saves time. */
bool spill_spare(const spill *s, uint64_t len);
void spill_region_free(spill *s, uint64_t offset, uint64_t len);

/* The descriptor and a block's place in it (only for blocks with stored == len), so that a target
 * can take blocks over without a copy through the process. -1 before the first write. */
int spill_fd(const spill *s);

uint64_t spill_used(const spill *s);
uint64_t spill_written(const spill *s);

#endif
