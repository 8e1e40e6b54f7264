#include "testing.h"

#include "base/turn.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS 4
#define STEPS   20000

typedef struct race {
    turn t;
    _Atomic uint64_t take;
    uint64_t guarded; /* plain: the turn alone orders access */
    uint64_t out_of_order;
} race;

static void *run(void *arg)
{
    race *r = arg;

    for (;;) {
        uint64_t n = atomic_fetch_add(&r->take, 1);
        if (n >= STEPS)
            return NULL;
        if (turn_wait(&r->t, n) != NRW_OK)
            return (void *)1;
        if (r->guarded++ != n)
            r->out_of_order++;
        turn_done(&r->t, n);
    }
}

static void threads_pass_in_order(void **state)
{
    race r = {.guarded = 0};
    pthread_t threads[THREADS];

    (void)state;
    turn_init(&r.t);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &r), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    assert_int_equal(r.guarded, STEPS);
    assert_int_equal(r.out_of_order, 0);
    assert_int_equal(r.t.waiters, 0);
}

static void *wait_far(void *arg)
{
    return (void *)(intptr_t)turn_wait(arg, 1000);
}

static void stop_frees_the_waiting(void **state)
{
    turn t;
    pthread_t threads[THREADS];

    (void)state;
    turn_init(&t);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_far, &t), 0);
    usleep(20000);
    turn_stop(&t);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_int_equal((intptr_t)result, NRW_E_CANCELLED);
    }
    assert_int_equal(turn_wait(&t, 0), NRW_E_CANCELLED);
}

static void a_lone_thread_never_sleeps(void **state)
{
    turn t;

    (void)state;
    turn_init(&t);
    for (uint64_t n = 0; n < 100000; n++) {
        assert_int_equal(turn_wait(&t, n), NRW_OK);
        turn_done(&t, n);
    }
    assert_int_equal(t.epoch, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_pass_in_order),
        cmocka_unit_test(stop_frees_the_waiting),
        cmocka_unit_test(a_lone_thread_never_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
