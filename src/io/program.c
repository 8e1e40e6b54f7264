#include "io/program.h"

#include "io/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- starting ---- */

/* Signals as a shell expects them, whatever this process does with them; a group of its own. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t set;

    sigemptyset(&set);
    posix_spawnattr_setsigmask(attr, &set);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    posix_spawnattr_setsigdefault(attr, &set);
    posix_spawnattr_setpgroup(attr, 0);
    return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSIGMASK);
}

static int spawn(program *p, int in, int out)
{
    char *argv[] = {"sh", "-c", p->command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int e;

    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_init(&files);
    e = set_attributes(&attr);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    if (!e)
        e = posix_spawn(&p->pid, "/bin/sh", &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return e;
}

/* Both ends above 2, so that no standard descriptor of a caller that closed its own is hit. */
static int make_pipe(int ends[2])
{
    int raw[2], e = 0;

    ends[0] = ends[1] = -1;
    if (pipe2(raw, O_CLOEXEC) != 0)
        return errno;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
        e = ends[i] < 0 ? errno : e;
        close(raw[i]);
    }
    return e;
}

static int start(program *p, int in, int *feed)
{
    int input[2] = {in, -1}, output[2] = {-1, -1};
    int e = in < 0 ? make_pipe(input) : 0;

    if (!e)
        e = make_pipe(output);
    if (!e)
        e = spawn(p, input[0], output[1]);
    sys_close(input[0]);
    sys_close(output[1]);
    if (e) {
        sys_close(input[1]);
        sys_close(output[0]);
        return e;
    }
    p->out = output[0];
    if (feed)
        *feed = input[1];
    return 0;
}

nrw_status program_start(mem *m, const char *command, int in, int *feed, program **out,
                         nrw_error *err)
{
    const size_t n = strlen(command) + 1;
    program *p;
    void *at;
    nrw_status st = mem_zalloc(m, sizeof *p + n, &at, err);
    int e;

    *out = NULL;
    if (feed)
        *feed = -1;
    if (st < 0) {
        sys_close(in);
        return st;
    }
    p = at;
    p->m = m;
    p->command = memcpy(p + 1, command, n);
    p->out = -1;
    pthread_mutex_init(&p->lock, NULL);
    e = start(p, in, feed);
    if (e) {
        p->pid = 0;
        program_close(p);
        return err_errno(err, NRW_E_IO, e, "cannot start '%.200s'", command);
    }
    *out = p;
    return NRW_OK;
}

/* ---- ending ---- */

void program_kill(program *p)
{
    pthread_mutex_lock(&p->lock);
    if (p->pid) {
        p->killed = true;
        kill(-p->pid, SIGKILL);
    }
    pthread_mutex_unlock(&p->lock);
}

/* Whether it has ended; it is not taken away by that: until it is reaped, under the lock, its
 * number is its own. */
static bool has_ended(const program *p)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid != 0;
}

static void reap(program *p, const _Atomic uint32_t *stop)
{
    struct timespec pause = {.tv_nsec = 200000};
    struct rusage used;
    int code;

    for (; !has_ended(p); nanosleep(&pause, NULL)) {
        if (stop && atomic_load(stop))
            program_kill(p);
        if (pause.tv_nsec < 20000000)
            pause.tv_nsec *= 2;
    }
    pthread_mutex_lock(&p->lock);
    kill(-p->pid, SIGKILL); /* what it left behind */
    while (wait4(p->pid, &code, 0, &used) < 0 && errno == EINTR)
        continue;
    p->exit = WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
    p->memory = (uint64_t)used.ru_maxrss << 10;
    p->pid = 0;
    pthread_mutex_unlock(&p->lock);
}

nrw_status program_wait(program *p, const _Atomic uint32_t *stop, nrw_error *err)
{
    if (p->pid)
        reap(p, stop);
    if (p->exit == 0 || p->killed)
        return NRW_OK;
    err_at_object(err, p->command);
    if (p->exit > 128)
        return err_set(err, NRW_E_IO, "the program was ended by a signal: %s",
                       strsignal(p->exit - 128));
    if (p->exit == 127)
        err_next(err, "is it installed, and in $PATH?");
    return err_set(err, NRW_E_IO, "the program failed with exit code %d", p->exit);
}

void program_close(program *p)
{
    if (!p)
        return;
    if (p->pid) {
        program_kill(p);
        reap(p, NULL);
    }
    sys_close(p->out);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->m, p, sizeof *p + strlen(p->command) + 1);
}
