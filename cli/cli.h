/* The command: a thin layer over the library's jobs. Public headers only. */
#ifndef CLI_H
#define CLI_H

#include "narrows/narrows.h"

#include <stdbool.h>

/* Exit codes of the command's documentation. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REJECTED = 3,
    EXIT_MEMORY = 4,
    EXIT_SERVER = 5,
    EXIT_INTERRUPTED = 130,
    EXIT_PIPE = 141
};

typedef enum progress_mode { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_JSON } progress_mode;

/* What the command line says beside the job itself. */
typedef struct cli_options {
    const nrw_verb *verb; /* NULL: none was said */
    const char *topic;    /* of help: a verb, or "plan"; NULL: the overview */
    bool quiet, plan, plan_json, help, version;
    bool pipes;          /* programs are started */
    bool rows_to_stdout; /* rows or a report go there */
    progress_mode progress;
    const char *report; /* file of --report */
} cli_options;

/* argv[1..] into a job: verb, options anywhere, the rest sources and (for verbs that write) the
 * last one the target. *job stays NULL where help or version was asked for. */
nrw_status cli_parse(int argc, char **argv, cli_options *cli, nrw_job **job, nrw_error *err);

/* The option of this name, or with this letter; NULL: none. */
const nrw_option *cli_option(const char *name, char letter);
/* Options of the command itself, in the shape of the library's; NULL past the end. */
const nrw_option *cli_own_option(size_t i);
const nrw_verb *cli_verb(const char *name);

/* Prints a page of help on standard output; NULL: the overview. false: no such verb. */
bool cli_help(const char *topic);

/* The progress line (or JSON lines) of a running job, on a thread of its own, on stderr. */
typedef struct cli_progress cli_progress;
cli_progress *cli_progress_start(nrw_job *job, const cli_options *cli);
void cli_progress_stop(cli_progress *p, nrw_status st); /* NULL is fine */

#endif
