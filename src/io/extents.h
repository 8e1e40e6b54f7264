/* Which parts of a spill file are still in use, in constant memory: live bytes counted by extent.
 * Positions are handed out front to back; an extent behind the end whose last byte was freed can
 * be punched out of the file. When the span of the file outgrows the table, extents double in
 * size. Internal to io; the caller locks. */
#ifndef IO_EXTENTS_H
#define IO_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXTENTS 2048

typedef struct extents {
    uint64_t end;   /* next position */
    uint64_t size;  /* bytes of an extent, a power of two */
    uint64_t first; /* extents before have nothing live */
    uint64_t live[EXTENTS];
} extents;

void extents_init(extents *x);
uint64_t extents_take(extents *x, uint64_t len);
/* Gives a range back. True when the file can be punched at [*from, *to). */
bool extents_give(extents *x, uint64_t offset, uint64_t len, uint64_t *from, uint64_t *to);
/* The first range of extents at or behind `at` in which nothing is live and nothing will be. False:
 * there is none. */
bool extents_dead(extents *x, uint64_t at, uint64_t *from, uint64_t *to);

#endif
