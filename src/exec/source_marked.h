/* A lazy source that ends where a mark stands, and goes on after it: what comes until then is all
 * that there is of keys below the mark. */
#ifndef EXEC_SOURCE_MARKED_H
#define EXEC_SOURCE_MARKED_H

#include "dataset/marks.h"
#include "exec/source.h"

typedef struct source_marked {
    source base;
    source *inner;
    const key_marks *marks;
    uint32_t at;  /* marks that were passed */
    bool waiting; /* a morsel behind marks[at] was cut: it comes when the mark was passed */
    bool ended;
    batch next; /* that one, as `inner` left it */
} source_marked;

/* `inner` and marks outlive it. Its morsels are the inner one's, numbers too. */
void source_marked_init(source_marked *s, source *inner, const key_marks *marks);
/* Once base.next has ended: the mark that was come to, which is passed by this; NULL: none is left.
 * Several may be come to at once, where no rows lie between them. *more: morsels may follow before
 * the next mark. */
const key_mark *source_marked_pass(source_marked *s, bool *more);
/* Gives up a morsel that is waiting; m: books of a batch. */
void source_marked_close(source_marked *s, mem *m);

#endif
