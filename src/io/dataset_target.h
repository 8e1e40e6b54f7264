/* Where a dataset goes: a folder of files, published whole.
 *
 * Files are written into a hidden folder on the dataset's file system, `.narrows-HASH.dataset`
 * beside the dataset (in it, as `.narrows-dataset`, where the dataset is a mount point or the
 * folder above may not be written), and take their places together at publication. Until
 * dataset_target_publish returns the dataset is as it was or becomes the new one when a rest is
 * recovered; dataset_target_close without it leaves it so. The staging is locked: a second run to
 * the same dataset is refused while the first lives. A rest of a killed run is completed, if
 * publication had been decided, else removed: by dataset_recover, and by the next run.
 *
 * How it is published:
 * - a dataset that is not there yet, or an empty folder: one rename
 * - DATASET_REPLACE: the folders change places at once (renameat2(RENAME_EXCHANGE)); where the
 *   system cannot, by two renames under a journal
 * - the other policies, and all of them in a mount point: file by file under a journal
 * A journal is synced before the first file moves. There is one sync of the file system before
 * anything is published, and one behind; none for each file.
 *
 * Neither memory nor descriptors grow with the number of files. */
#ifndef IO_DATASET_TARGET_H
#define IO_DATASET_TARGET_H

#include "io/file.h"
#include "io/target.h"

typedef struct dataset_target dataset_target;

typedef enum dataset_policy {
    DATASET_FAIL,               /* an existing dataset is an error; an empty folder is none */
    DATASET_REPLACE,            /* all that the folder holds goes */
    DATASET_REPLACE_PARTITIONS, /* in each folder that gets files, those that were there go */
    DATASET_APPEND,             /* files are added; a name that is taken is an error */
    DATASET_SKIP,               /* an existing dataset is NRW_END */
    DATASET_OVERWRITE_OR_IGNORE /* files of the same name are replaced, others stay */
} dataset_policy;

/* What the bytes of a dataset follow from: options and inputs, one by one. */
typedef struct dataset_fact {
    const char *text; /* "--where a > 3", "input a.parquet"; good until the next one is asked for */
    uint64_t number;  /* what else must be the same: an input's size and time as one number */
} dataset_fact;

/* One line, without the dataset's name, about what was done with a rest. */
typedef void (*dataset_tell)(void *ctx, const char *line);

typedef struct dataset_options {
    dataset_policy policy;
    /* What stands around the number in names of files: "part-", ".parquet". NULL: no numbers. They
     * live as long as the target. */
    const char *number_prefix, *number_suffix;
    dataset_tell tell; /* NULL: nobody listens */
    void *ctx;         /* of tell and fact */
    /* Fact i of this run; NRW_END behind the last. NULL: the run cannot be resumed. */
    nrw_status (*fact)(void *ctx, uint64_t i, dataset_fact *out, nrw_error *err);
    bool resume; /* go on with the rest of a killed run instead of removing it */
} dataset_options;

/* Missing folders above are made. `dir` must outlive the target. NRW_E_EXISTS and NRW_END by the
 * policy; NRW_E_IO with the process id of another run that is writing there; NRW_E_ARG where `dir`
 * is a file.
 *
 * To resume: the facts are compared with those of the killed run one by one; NRW_E_CHANGED names
 * the first that differs, NRW_E_NOTFOUND says that there is no rest. The rest stays then. Its
 * finished files are there for dataset_target_kept, all else of it is removed. NRW_END: the killed
 * run had decided to publish, which is completed now. */
nrw_status dataset_target_open(mem *m, const char *dir, const dataset_options *o,
                               dataset_target **out, nrw_error *err) NRW_CHECKED;
/* A new file of the dataset: "dt=1/part-00000.parquet"; its folders are made. target_publish only
 * flushes and closes it, target_close without it removes it. One descriptor and one buffer of 64
 * KiB for each that is open. Names begin with no '/', have no part that is empty, . or .., and no
 * part of more than 255 bytes: NRW_E_ARG says so. NRW_E_EXISTS: this run has made that file. Any
 * thread. */
nrw_status dataset_target_file(dataset_target *d, const char *name, target **out,
                               nrw_error *err) NRW_CHECKED;
/* Of a run that is resumed, a file that the killed run had finished, for reading; it is one of this
 * run, which does not make it. NRW_END: there is none. Any thread. */
nrw_status dataset_target_kept(dataset_target *d, const char *name, io_file **out,
                               nrw_error *err) NRW_CHECKED;
/* A number that goes with a file, for who resumes: told before the file is published, 0 where it
 * was not. Finding it reads the journal through. Any thread. */
nrw_status dataset_target_carry(dataset_target *d, const char *name, uint64_t number,
                                nrw_error *err) NRW_CHECKED;
nrw_status dataset_target_carried(dataset_target *d, const char *name, uint64_t *out,
                                  nrw_error *err) NRW_CHECKED;
/* The number of the first file in a folder ("" is the dataset's own, "dt=1"): 0, of DATASET_APPEND
 * one more than the greatest there. Any thread. */
nrw_status dataset_target_next(dataset_target *d, const char *folder, uint32_t *number,
                               nrw_error *err) NRW_CHECKED;
/* A file that the dataset has goes when all is published; of DATASET_OVERWRITE_OR_IGNORE. Any
 * thread. */
nrw_status dataset_target_drop(dataset_target *d, const char *name, nrw_error *err) NRW_CHECKED;
/* All files are published or dropped before. Files of the root whose names begin with _ replace
 * those there, whatever the policy, and a _metadata that knows nothing of the new files goes.
 * NRW_END: of DATASET_SKIP, another run was first. On failure before the decision the dataset is as
 * it was. Behind it (the disk, a foreign file in the way) the error says that recover completes it,
 * and the staging stays. Only dataset_target_close is legal then. */
nrw_status dataset_target_publish(dataset_target *d, nrw_error *err) NRW_CHECKED;
/* Files published, and files of the old dataset that were removed for their folders' sake (not
 * counted where a whole folder was replaced). */
uint64_t dataset_target_files(const dataset_target *d);
uint64_t dataset_target_dropped(const dataset_target *d);
/* Files that the killed run had finished: all of them must be asked for before publication, which
 * else is NRW_E_CORRUPT. */
uint64_t dataset_target_resumed(const dataset_target *d);
/* Without publication before it: the staging is removed. NULL is fine. */
void dataset_target_close(dataset_target *d);

/* Completes or removes what killed runs to this dataset left; `tell` gets a line for each. NRW_END:
 * there was nothing. NRW_E_IO as for dataset_target_open where a run is alive. */
nrw_status dataset_recover(mem *m, const char *dir, dataset_tell tell, void *ctx,
                           nrw_error *err) NRW_CHECKED;

#endif
