#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nrw_job *interruptible;
static volatile sig_atomic_t caught;

/* The first signal asks the job to stop; a second one ends the process at once. Nothing is left
 * behind either way: staged output has no name. */
static void on_signal(int sig)
{
    if (caught)
        _exit(128 + sig);
    caught = sig;
    nrw_job_cancel(interruptible);
}

static void catch_signals(nrw_job *job)
{
    struct sigaction sa = {.sa_handler = on_signal};

    interruptible = job;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int exit_code(nrw_status st)
{
    switch (st) {
    case NRW_OK:
    case NRW_END: return EXIT_DONE;
    case NRW_REJECTED: return EXIT_REJECTED;
    case NRW_E_ARG:
    case NRW_E_SQL: return EXIT_USAGE;
    case NRW_E_MEMLIMIT: return EXIT_MEMORY;
    case NRW_E_SERVER: return EXIT_SERVER;
    case NRW_E_CANCELLED: return caught ? 128 + caught : EXIT_INTERRUPTED;
    case NRW_E_PIPE: return EXIT_PIPE;
    default: return EXIT_FAILED;
    }
}

static int complain(nrw_status st, const nrw_error *err)
{
    char text[1600];

    if (st != NRW_E_PIPE) {
        nrw_error_print(err, text, sizeof text);
        fprintf(stderr, "narrows: %s\n", text);
    }
    return exit_code(st);
}

static nrw_status write_report(nrw_job *job, const char *path, nrw_error *err)
{
    nrw_status st;
    char *json;
    FILE *f;
    bool failed;

    st = nrw_job_report(job, &json, err);
    if (st < 0)
        return st;
    f = strcmp(path, "-") == 0 ? stderr : fopen(path, "we");
    failed = !f || fputs(json, f) < 0;
    if (f && f != stderr)
        failed |= fclose(f) != 0;
    nrw_free(json);
    if (!failed)
        return NRW_OK;
    err->status = NRW_E_IO;
    snprintf(err->object, sizeof err->object, "%.255s", path);
    snprintf(err->message, sizeof err->message, "cannot write the report");
    return NRW_E_IO;
}

/* On a terminal the whole summary, in logs its first line and what is unusual. */
static void print_summary(nrw_job *job, const cli_options *cli)
{
    char *text;

    if (cli->quiet || nrw_job_summary(job, &text, NULL) < 0)
        return;
    if (*text && isatty(STDERR_FILENO))
        fprintf(stderr, "%s\n", text);
    else if (*text)
        fprintf(stderr, "%.*s\n", (int)strcspn(text, "\n"), text);
    nrw_free(text);
}

static int show_plan(nrw_job *job, const cli_options *cli, nrw_error *err)
{
    bool json = cli->format && strcmp(cli->format, "json") == 0;
    nrw_status st;
    char *text;

    st = nrw_job_plan(job, json, &text, err);
    if (st < 0)
        return complain(st, err);
    puts(text);
    nrw_free(text);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(nrw_job *job, const cli_options *cli, nrw_error *err)
{
    cli_progress *progress;
    nrw_status st, reported;
    int code;

    catch_signals(job);
    progress = cli_progress_start(job, cli);
    st = nrw_job_run(job, err);
    cli_progress_stop(progress, st);
    code = st < 0 ? complain(st, err) : exit_code(st);
    if (st >= 0)
        print_summary(job, cli);
    if (cli->report) {
        *err = (nrw_error)NRW_ERROR_INIT;
        reported = write_report(job, cli->report, err);
        if (reported < 0)
            code = complain(reported, err);
    }
    return code;
}

int main(int argc, char **argv)
{
    cli_options cli = {0};
    nrw_error err = NRW_ERROR_INIT;
    nrw_job *job = NULL;
    nrw_status st;
    int code = EXIT_DONE;

    nrw_process_init();
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        return cli_help(argc > 2 ? argv[2] : NULL) ? EXIT_DONE : EXIT_USAGE;
    st = cli_parse(argc, argv, &cli, &job, &err);
    if (st < 0)
        code = complain(st, &err);
    else if (cli.version)
        printf("narrows %s\n", nrw_version());
    else if (cli.help)
        cli_help(job ? argv[cli.plan ? 2 : 1] : NULL);
    else if (cli.plan)
        code = show_plan(job, &cli, &err);
    else
        code = run(job, &cli, &err);
    nrw_job_free(job);
    return code;
}
