/* Where a running job's rows wait for somebody in this process who takes them: a few batches, put
 * in by the job's threads, taken out by another one. */
#ifndef API_OUTLET_H
#define API_OUTLET_H

#include "format/arrow/arrow.h"

typedef struct outlet outlet;

nrw_status outlet_new(mem *m, outlet **out, nrw_error *err) NRW_CHECKED;
/* The job has ended; what it put in was taken or dropped. NULL is fine. */
void outlet_free(outlet *o);
arrow_taker *outlet_taker(outlet *o);
/* All batches were put in: waits until they are taken, or nobody wants them any more. */
nrw_status outlet_drain(outlet *o, nrw_error *err) NRW_CHECKED;
/* The job has ended so: no more comes. */
void outlet_end(outlet *o, nrw_status st, const nrw_error *err);

/* Both wait; the job's error is theirs. An array without release: there are no more. */
nrw_status outlet_schema(outlet *o, struct ArrowSchema *out, nrw_error *err) NRW_CHECKED;
nrw_status outlet_next(outlet *o, struct ArrowArray *out, nrw_error *err) NRW_CHECKED;
/* Nobody takes any more: what waits is dropped, and what would be put in fails. Any thread. */
void outlet_shut(outlet *o);

#endif
