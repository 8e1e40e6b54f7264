/* Sums of products: a product of two doubles is a sum of no more than its bits, of whatever size
 * and sign they are, and the same numbers sum up to the same in any order. */
#include "exec/aggregate_own.h"
#include "testing.h"

#include <math.h>

#define NUMBERS 64u

/* Of both sides of where products are made of mantissas, and in between. */
static const int powers[] = {-530, -424, -423, -422, -300, -1, 0, 1, 60, 300, 476, 477, 478, 500};

static uint64_t seed = 1;

static double number(int power)
{
    double x;

    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    x = ldexp(1 + (double)(seed >> 12) * 0x1p-52, power);
    return seed & 1 ? -x : x;
}

static void check_product(double x, double y)
{
    const wide_float want = (wide_float)x * (wide_float)y; /* exact: 106 bits */
    power_sum s = {0};

    power_sum_add_product(&s, x, y);
    assert_true(power_sum_wide(&s) == want);
    power_sum_add_product(&s, -x, y);
    assert_true(power_sum_wide(&s) == 0);
}

/* Squares of tiny numbers lose bits below the least double. */
static void check_square(double x)
{
    power_sum s = {0};

    power_sum_add(&s, x, 2);
    assert_true(power_sum_wide(&s) == (wide_float)x * (wide_float)x);
}

static void products(void **state)
{
    const size_t n = sizeof powers / sizeof *powers;

    (void)state;
    for (int times = 0; times < 20; times++)
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < n; k++)
                if (powers[i] + powers[k] > -900)
                    check_product(number(powers[i]), number(powers[k]));
            if (powers[i] > -450)
                check_square(number(powers[i]));
        }
    check_product(1, 1);
    check_product(-3, 0x1.fffffffffffffp+10);
    check_product(0x1.fffffffffffffp+400, 0x1.fffffffffffffp-400);
}

static void odd_ones(void **state)
{
    power_sum s = {0};

    (void)state;
    power_sum_add_product(&s, 0, 5);
    assert_true(power_sum_wide(&s) == 0);
    power_sum_add_product(&s, 0x1p+1000, 0x1p+1000);
    assert_int_equal(sum_odd(s.head), 2);
    power_sum_add_product(&s, NAN, 1);
    assert_int_equal(sum_odd(s.head) & 1, 1);
}

/* Forwards, backwards, and in two parts: digits alike, also where some fell out of the window. */
static void orders(void **state)
{
    double x[NUMBERS];
    power_sum up = {0}, down = {0}, parts[2] = {{0}, {0}};

    (void)state;
    for (uint32_t i = 0; i < NUMBERS; i++)
        x[i] = number((int)(i * 7 % NUMBERS) * 14 - 430);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        power_sum_add(&up, x[i], 2);
        power_sum_add(&down, x[NUMBERS - 1 - i], 2);
        power_sum_add(&parts[i % 2], x[i], 2);
    }
    power_sum_merge(&parts[1], &parts[0]);
    assert_memory_equal(up.digits, down.digits, sizeof up.digits);
    assert_memory_equal(up.digits, parts[1].digits, sizeof up.digits);
    assert_int_equal(up.head & 0xffff, down.head & 0xffff);
    assert_int_equal(up.head & 0xffff, parts[1].head & 0xffff);
}

/* Any number alone and twice: the first one makes the window, the second one finds it there. */
static void alone(void **state)
{
    (void)state;
    for (int power = -1080; power < 1024; power++) {
        const double x = number(power < -1022 ? -1030 : power) * (power < -1022 ? 0x1p-40 : 1);
        float_sum s = {0};
        float_sum_add(&s, x);
        assert_true(float_sum_wide(&s) == (wide_float)x);
        float_sum_add(&s, x);
        assert_true(float_sum_wide(&s) == 2 * (wide_float)x);
        float_sum_add(&s, -x);
        assert_true(float_sum_wide(&s) == (wide_float)x);
    }
}

/* Numbers near to each other, the sum of which is exact in wide ones; many at a time as well. */
static void many(void **state)
{
    float_sum one = {0}, each = {0}, coded[2] = {{0}, {0}};
    uint8_t *states[NUMBERS], *few[2] = {(uint8_t *)&coded[0], (uint8_t *)&coded[1]};
    uint32_t codes[NUMBERS];
    double x[NUMBERS];
    wide_float sum = 0;

    (void)state;
    for (int base = -1000; base < 1000; base += 13) {
        one = each = coded[0] = coded[1] = (float_sum){0};
        sum = 0;
        for (uint32_t i = 0; i < NUMBERS; i++) {
            x[i] = number(base + (int)(i * 5 % 20));
            sum += (wide_float)x[i];
            float_sum_add(&one, x[i]);
            states[i] = (uint8_t *)&each;
            codes[i] = i % 2;
        }
        float_sum_add_each(x, NUMBERS, states);
        float_sum_add_coded(x, NUMBERS, few, codes);
        assert_true(float_sum_wide(&one) == sum);
        assert_memory_equal(&one, &each, sizeof one);
        float_sum_merge(&coded[0], &coded[1]);
        assert_true(float_sum_wide(&coded[0]) == sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),    cmocka_unit_test(many),   cmocka_unit_test(products),
        cmocka_unit_test(odd_ones), cmocka_unit_test(orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
