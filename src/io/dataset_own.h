/* The parts of a dataset target: where the dataset is (place), where its new files wait (stage),
 * how they take their places (publish). Internal to io. */
#ifndef IO_DATASET_OWN_H
#define IO_DATASET_OWN_H

#include "io/dataset_journal.h"
#include "io/dataset_target.h"

#include <sys/stat.h>

#define STAGE_NAME_MAX 48

/* Names in a staging folder. */
#define STAGE_LOCK    "lock"    /* held by its owner; its text is the owner's process id */
#define STAGE_FILES   "files"   /* the new files, as they will lie in the dataset */
#define STAGE_JOURNAL "journal" /* nothing is decided: a rest is removed */
#define STAGE_DECIDED                                                                              \
    "decided"                   /* the journal when publication was decided: a rest is completed   \
                                 */
#define STAGE_OLD     "old"     /* what the dataset was */
#define STAGE_CLEARED "cleared" /* a mark: the dataset's folder was emptied into STAGE_OLD */
#define STAGE_KEPT    "kept"    /* finished files of a killed run, while the others are removed */
#define STAGE_NEXT    "next"    /* the journal of the run that resumes it, until it is whole */

/* ---- where the dataset is ---- */
typedef struct dataset_place {
    mem *m;
    const char *shown; /* as typed; stands in messages */
    char *path;        /* absolute, links resolved */
    size_t size;
    const char *name; /* the last part of path */
    int parent;       /* the folder it lies in */
    uint32_t made;    /* folders above it that place_open made */
    /* as place_look found it */
    bool there, empty, mounted; /* mounted: on another file system than its parent */
    struct stat stat;
} dataset_place;

/* `make`: missing folders above are made, else NRW_END. `shown` must outlive the place. */
nrw_status place_open(mem *m, const char *shown, bool make, dataset_place *out, nrw_error *err);
nrw_status place_look(dataset_place *p, nrw_error *err);
/* The dataset's folder; an errno. */
int place_folder(const dataset_place *p, int *fd);
/* Removes so many folders above the dataset again, those that are empty. */
void place_unmake(const dataset_place *p, uint64_t made);
void place_close(dataset_place *p); /* parent -1 is fine */
nrw_status place_error(const dataset_place *p, int e, const char *what, nrw_error *err);

/* ---- where its new files wait ---- */
typedef struct dataset_stage {
    int base, dir, lock; /* the folder it is in, itself, its lock; -1: not open */
    bool inside;         /* in the dataset's folder, else beside it */
    bool found;          /* was there before */
    char name[STAGE_NAME_MAX];
} dataset_stage;

#define DATASET_STAGE_NONE                                                                         \
    {                                                                                              \
        .base = -1, .dir = -1, .lock = -1                                                          \
    }

/* Opens and locks the staging folder; `make`: makes it, else NRW_END where there is none. Another
 * owner that lives is NRW_E_IO with its process id. *denied: it could not be made here for want of
 * permission; then the status is NRW_E_IO as well. */
nrw_status stage_take(const dataset_place *p, bool inside, bool make, dataset_stage *out,
                      bool *denied, nrw_error *err);
/* Is this the name of a staging folder inside of a dataset? */
bool stage_is_inside_name(const char *name);
/* Removes all that is in it but the lock, and counts files; an errno. Needs as little memory and as
 * few descriptors as for a folder of one file. */
int stage_clear(const dataset_stage *s, uint64_t *files);
/* The same, but names of `keep` (NULL at the end) stay, too. */
int stage_clear_but(const dataset_stage *s, const char *const *keep, uint64_t *files);
/* That, and the folder itself. The stage is closed whatever happens. */
int stage_remove(dataset_stage *s, uint64_t *files);
/* Closes it as it is. */
void stage_leave(dataset_stage *s);

/* ---- how they take their places ---- */
typedef enum publish_way {
    PUBLISH_WHOLE = 'w', /* the folder takes the place of the old one */
    PUBLISH_MERGE = 'm', /* files are put into the dataset, dropped ones removed */
    PUBLISH_FRESH = 'c', /* the same, after all that was there is moved away */
    PUBLISH_ADD = 'a'    /* as merge, but no file may be replaced */
} publish_way;

typedef struct publish_counts {
    uint64_t put, dropped; /* files of the journal; those that were there to be removed */
} publish_counts;

/* Does what a decided journal says, as far as it is not done yet. */
nrw_status publish_decided(const dataset_place *p, const dataset_stage *s, publish_counts *n,
                           nrw_error *err);
/* Adds the files that go to the journal. Nothing is done. */
nrw_status publish_plan(const dataset_place *p, const dataset_stage *s, journal *j,
                        dataset_policy policy, nrw_error *err);
/* From the staging to the dataset's place. NRW_E_EXISTS: something appeared there meanwhile.
 * *decided: on failure, whether publish_decided has to complete it. */
nrw_status publish_stage(dataset_place *p, const dataset_stage *s, journal *j,
                         dataset_policy policy, bool *decided, publish_counts *n, nrw_error *err);
/* After it was done: the journal goes first, so that the rest is only to be removed. An errno. */
int publish_forget(const dataset_stage *s);
/* Makes the folders that a name in `folder` has on its way. An errno. */
int publish_make_path(int folder, const char *name);
/* Opens folder/name; missing folders on the way are made. An errno. */
int publish_open_path(int folder, const char *name, int flags, int *fd);
/* Files of the root whose names begin with _ tell about the others, and follow no policy. */
bool publish_is_metadata(const char *name);
/* fsync, where the file system has it of folders; an errno. */
int publish_sync_folder(int fd);

/* ---- going on with a killed run ---- */

nrw_status resume_no_rest(const dataset_place *p, nrw_error *err);
/* Writes the head and the facts of a run. */
nrw_status resume_facts(const dataset_place *p, const dataset_options *o, journal *j,
                        nrw_error *err);
/* Looks at the rest in a locked staging: NRW_OK, it is of a run with the facts of o and can be gone
 * on with; NRW_END, it had decided to publish, and that is done now. Else see dataset_target_open;
 * nothing was changed. *made: folders above the dataset that the killed run made. */
nrw_status resume_look(dataset_place *p, dataset_stage *s, const dataset_options *o, uint64_t *made,
                       nrw_error *err);
/* Then only its finished files are left, in STAGE_FILES, and *j is the new run's journal, which
 * names them. May be done again wherever it ended. *files counts them. */
nrw_status resume_take(const dataset_place *p, const dataset_stage *s, const dataset_options *o,
                       journal *j, uint64_t *files, nrw_error *err);

/* ---- rests of killed runs ---- */
/* Completes or removes the rest in a staging that is open, which is empty then. Where there is no
 * dataset, p->made becomes the folders that the killed run made above it. */
nrw_status recover_stage(dataset_place *p, dataset_stage *s, dataset_tell tell, void *ctx,
                         nrw_error *err);
/* Looks for rests beside the dataset and in it. *found counts them. */
nrw_status recover_place(dataset_place *p, dataset_tell tell, void *ctx, int *found,
                         nrw_error *err);

#endif
