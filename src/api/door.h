/* Where rows come in or go out by another way than a file: the two ends of a run that are somebody
 * else's. */
#ifndef API_DOOR_H
#define API_DOOR_H

#include "io/file.h"
#include "io/target.h"

/* A source. It is read once. */
typedef struct door door;
struct door {
    const char *name; /* what a list of sources, or FROM, calls it */
    /* A live file (io/file.h) of Arrow's stream format, charged to m. */
    nrw_status (*open)(door *d, mem *m, io_file **out, nrw_error *err);
    void (*close)(door *d); /* with the job, opened or not; NULL: nothing to do */
    bool taken;             /* it was opened */
    door *next;
};

/* A way out for rows. */
typedef struct way_out {
    const char *name;      /* for messages and plans */
    target *to;            /* for a stream in Arrow's format; closed by its owner */
    struct outlet *outlet; /* instead, for arrays; NULL: there is a target */
} way_out;

/* Of a list, the door called so; NULL: none is. */
door *door_named(door *list, const char *name);
nrw_status door_open(door *d, mem *m, io_file **out, nrw_error *err) NRW_CHECKED;

#endif
