/* Text that repeats: columns of few different values become dictionary vectors, which all that
 * comes behind handles once an entry instead of once a row. Internal to the Avro folder.
 *
 * What it has found of a column it keeps from batch to batch: while no new text comes, all batches
 * share one dictionary. A column with more texts than AV_REPEATS_MOST is left alone for good. One
 * thread at a time. */
#ifndef AVRO_REPEATS_H
#define AVRO_REPEATS_H

#include "column/vector.h"

#define AV_REPEATS_MOST  128
#define AV_REPEATS_SLOTS 256

typedef struct av_repeats {
    mem *m;
    dict *dict; /* of the texts that were known when it was made; NULL: of none */
    bytes heap; /* of texts that do not lie in their view */
    uint32_t n;
    bool given_up;
    uint8_t slots[AV_REPEATS_SLOTS];                      /* text + 1; 0: free */
    uint64_t low[AV_REPEATS_MOST], high[AV_REPEATS_MOST]; /* what is compared of them */
    view views[AV_REPEATS_MOST];                          /* into `heap` */
} av_repeats;

/* What one takes, with all that it comes to hold. */
uint64_t av_repeats_memory(void);

void av_repeats_init(av_repeats *r, mem *m);
void av_repeats_release(av_repeats *r); /* all zero is fine */

/* v, flat, of text or binary values, becomes a dictionary vector if that pays and there is memory;
 * else it stays as it is. */
void av_repeats_find(av_repeats *r, vector *v);

#endif
