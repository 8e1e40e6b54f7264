/* Inside of the two compilers: of the file's own schema (compile.c) and of another one that it is
 * read by (resolve.c); compile_skip.c is both's. Internal to the Avro folder. */
#ifndef AVRO_COMPILE_OWN_H
#define AVRO_COMPILE_OWN_H

#include "format/avro/program.h"

typedef struct compiler {
    av_program *p;
    const av_columns *c;
    const bool *wanted; /* by the nodes' places */
    uint32_t *slot_of;
    uint32_t list_depth;
    uint32_t fence; /* no step before it may be joined: something jumps there */
    nrw_error *err;
} compiler;

nrw_status av_add_step(av_program *p, av_op op, const av_node *n, uint32_t *at,
                       nrw_error *err) NRW_CHECKED;
nrw_status av_add_slot(compiler *k, const av_node *n, uint32_t *at) NRW_CHECKED;
/* The steps of a union's branches, each behind a link that says which slots are the branch's own;
 * all others get a null. Stepped over, there are no slots. */
nrw_status av_branches(compiler *k, const av_node *n, bool skip, bool whole) NRW_CHECKED;
/* Steps over a value. */
nrw_status av_skip_node(compiler *k, const av_node *n) NRW_CHECKED;
/* Whether n or something in it is wanted. */
bool av_wanted_below(const compiler *k, const av_node *n);
av_op av_leaf_op(const av_type *t);

/* The steps of all columns of k->c, of a file that was written by k->c->written. NRW_E_SCHEMA: the
 * one cannot be read as the other. */
nrw_status av_resolve(compiler *k) NRW_CHECKED;

#endif
