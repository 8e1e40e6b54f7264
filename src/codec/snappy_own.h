/* Inside of decoding whole snappy blocks: snappy_block.c one, snappy_beside.c several at a time.
 * Internal to the codecs. */
#ifndef CODEC_SNAPPY_OWN_H
#define CODEC_SNAPPY_OWN_H

#include "base/span.h"

/* How far a block is. */
typedef struct snappy_state {
    const uint8_t *ip, *in_end;
    uint8_t *dst, *op, *out_end;
    size_t stretch; /* bytes of output before pairs are looked for again */
} snappy_state;

/* By tag: the length of what it makes. */
#define LITERAL(t) ((t) / 4 + 1)
#define COPY_1(t)  (4 + (t) / 4 % 8)
#define COPY_2(t)  ((t) / 4 + 1)
/* What is chosen without a branch has to be known, both of it. */
#define WITHOUT_BRANCH(a, b) __asm__("" : "+r"(a), "+r"(b))

/* At the first element; *len is what the block says it holds. False: it does not say. */
bool snappy_begin(snappy_state *s, span src, uint8_t *dst, size_t dst_len, uint64_t *len);
/* One element, with every check; false where it is damaged. */
bool snappy_one(snappy_state *s);
/* All that is left; false where it is damaged. */
bool snappy_go_on(snappy_state *s);

#endif
