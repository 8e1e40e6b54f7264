/* Records of few values among much that is stepped over. Internal to the Avro folder.
 *
 * Read one after the other, each value would have to say where what follows it begins. Here records
 * are passed over as pass.h does it, the values like all else, and where these lie is noted; then
 * they are read column by column, and nothing waits for them. */
#ifndef AVRO_SPARSE_H
#define AVRO_SPARSE_H

#include "format/avro/program.h"

#define AV_SPARSE_RUNS 64 /* at most; a value each, but perhaps the first */

/* p's sparse steps, where it has what they are for and nothing else. */
nrw_status av_sparse_make(av_program *p, nrw_error *err) NRW_CHECKED;
void av_sparse_release(av_program *p);

/* The next records, as long as all of them is as usual: how many; r->p and r->left go on. The
 * slots, of a program with sparse steps, have the values of as many records each. */
uint32_t av_sparse_records(av_run *r);

#endif
