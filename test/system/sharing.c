/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program uses the card between two calls of ours. The next signature with the
 * authentication key, whose PIN is kept, must work. With the signature key it must work or return
 * CKR_USER_NOT_LOGGED_IN; then the session is public and can log in again. No signature is made by
 * a wrong key (p11_sign() checks), and no PIN of any application loses a try.
 * Run with the card's switches forget.* all on, and all off.
 */
#include "p11.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT  "connect"
#define JPKI     "apdu 00A4040C0AD392F000260100000001 9000"
#define COMMON   "apdu 00A4040C0AD3921000310001010100 9000"
#define RESIDENT "apdu 00A4040C0AD3921000310001010401 9000"
#define FACE     "apdu 00A4040C0AD3921000310001010402 9000"
#define INPUT    "apdu 00A4040C0AD3921000310001010408 9000"
#define LEAVE    "disconnect leave"

enum { LINES = 8 };

static const struct use {
    const char *name;
    const char *lines[LINES];
} uses[] = {
    {"selects the common application", {CONNECT, COMMON, LEAVE}},
    {"selects the resident register, whose keys sign without a PIN", {CONNECT, RESIDENT, LEAVE}},
    {"selects the card face", {CONNECT, "begin", FACE, "end leave", LEAVE}},
    {"selects a key file of ours", {CONNECT, JPKI, "apdu 00A4020C020017 9000", LEAVE}},
    {"selects the other key file", {CONNECT, JPKI, "apdu 00A4020C02001A 9000", LEAVE}},
    {"selects a key file of its own application",
     {CONNECT, RESIDENT, "apdu 00A4020C020017 9000", LEAVE}},
    {"selects a file that does not exist", {CONNECT, JPKI, "apdu 00A4020C023F01 6A82", LEAVE}},
    {"verifies the resident register's PIN",
     {CONNECT, RESIDENT, "apdu 0020009C0432333435 9000", LEAVE}},
    {"verifies the input support's PIN", {CONNECT, INPUT, "apdu 002000910434353637 9000", LEAVE}},
    {"verifies PINs with our file numbers in another application",
     {CONNECT, RESIDENT, "apdu 002000980439383736 9000", "apdu 0020009B065A5958393837 9000",
      LEAVE}},
    {"asks for the tries left in another application",
     {CONNECT, RESIDENT, "apdu 00200098 63C3", LEAVE}},
    {"resets the card", {CONNECT, "reconnect reset", LEAVE}},
    {"resets the card when it disconnects", {CONNECT, "disconnect reset"}},
    {"resets at the end of its transaction", {CONNECT, "begin", RESIDENT, "end reset", LEAVE}},
    {"powers the card down and up", {CONNECT, "reconnect unpower", LEAVE}},
    {"powers the card down", {CONNECT, "disconnect unpower"}},
    {"resets the card and selects its own application",
     {CONNECT, "reconnect reset", RESIDENT, LEAVE}},
    {"powers the card down and selects its own application",
     {CONNECT, "reconnect unpower", FACE, LEAVE}},
};

static void run(const struct use *use)
{
    for (size_t i = 0; i < LINES && use->lines[i] != NULL; i++)
        other_program("%s", use->lines[i]);
}

/* For the token whose PIN is not kept. Returns whether the login had been lost. */
static bool sign_or_log_in(struct p11_login *login)
{
    CK_RV rv = p11_sign(login);
    if (rv == CKR_OK)
        return false;
    EXPECT(rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
    EXPECT(p11_is_public(login->session), "CKR_USER_NOT_LOGGED_IN, but the session is not public");
    p11_log_in_again(login);
    OK(p11_sign(login));
    return true;
}

static void sign_after(const struct use *use, struct p11_login *auth, struct p11_login *sign)
{
    OK(p11_sign(auth));
    OK(p11_sign(auth));
    bool first = sign_or_log_in(sign);
    OK(p11_sign(auth));
    (void)sign_or_log_in(sign);

    /* The signature token first. */
    run(use);
    bool lost = sign_or_log_in(sign);
    OK(p11_sign(auth));
    EXPECT(card_tries_full(0), "another program %s", use->name);
    passed("another program %s%s", use->name,
           first || lost ? ": the signature login was lost" : "");
}

/* The other application's keys do sign; otherwise this test would prove nothing. */
static void wrong_keys_sign(const struct p11_login *auth)
{
    run(&uses[1]);
    (void)card_command(0, "reset-counters");
    OK(p11_sign(auth));
    EXPECT(card_counter(0, "signatures") == 2, "%ld signatures", card_counter(0, "signatures"));
    passed("a signature by another application's key was made and discarded");
}

static void other_stays_connected(struct p11_login *auth, struct p11_login *sign)
{
    static const char *const lines[] = {
        CONNECT,           RESIDENT, "apdu 00A4020C020017 9000", JPKI,
        "reconnect reset", COMMON,   "disconnect reset"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        other_program("%s", lines[i]);
        OK(p11_sign(auth));
        (void)sign_or_log_in(sign);
    }
    EXPECT(card_tries_full(0), "stays connected");
    passed("another program stays connected all the time");
}

/* ---- Busy -------------------------------------------------------------------------------- */

static void waits_for_transaction(struct p11_login *auth, struct p11_login *sign)
{
    static const char *const holds[4][3] = {
        {CONNECT, "begin", "later 3000 end leave"},
        {CONNECT, "begin", "later 3000 end reset"},
        {CONNECT, "begin", "later 3000 end unpower"},
        {CONNECT, "begin", "later 3000 disconnect reset"},
    };
    for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        for (int line = 0; line < 3; line++)
            other_program("%s", holds[i][line]);
        double start = seconds_now();
        OK(p11_sign(auth));
        double took = seconds_now() - start;
        EXPECT(took > 2, "signed after %.1f s, within the transaction of another program", took);
        EXPECT(took < 8, "%.1f s", took);
        if (strstr(holds[i][2], "end") != NULL)
            other_program(LEAVE);
        (void)sign_or_log_in(sign);
        EXPECT(card_tries_full(0), "%s", holds[i][2]);
    }
    passed("another program in a transaction for 3 s: the call waits, however it ends");
}

/* Calls that need the card while another program holds it; busy-timeout=1. */
static void gives_up(struct p11_login *auth, struct p11_login *sign)
{
    CK_TOKEN_INFO info;
    other_program(CONNECT);
    other_program("begin");
    double start = seconds_now();
    RETURNS(CKR_DEVICE_ERROR, p11_sign(auth));
    EXPECT(seconds_now() - start > 0.7, "%.1f s", seconds_now() - start);
    RETURNS(CKR_DEVICE_ERROR, p11_sign(sign));
    OK(p11->C_GetTokenInfo(auth->slot, &info)); /* from memory */
    EXPECT(seconds_now() - start < 9, "three calls: %.1f s", seconds_now() - start);
    EXPECT(!p11_is_public(auth->session) && !p11_is_public(sign->session), "a login was lost");
    other_program("end leave");
    other_program(LEAVE);
    OK(p11_sign(auth));
    (void)sign_or_log_in(sign);
    OK(p11->C_GetTokenInfo(auth->slot, &info));
    passed("another program stays in its transaction: an error in time, then everything works");
}

/* No session is open, so the other program can get the card for itself, by the lines `take`. */
static void cannot_connect(const char *const take[2], const char *name)
{
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = 0;
    for (int line = 0; line < 2; line++)
        other_program("%s", take[line]);
    double start = seconds_now();
    OK(p11->C_GetTokenInfo(AUTH_SLOT(0), &info)); /* from memory */
    CK_RV rv = p11->C_OpenSession(AUTH_SLOT(0), CKF_SERIAL_SESSION, NULL, NULL, &session);
    EXPECT(rv == CKR_OK || rv == CKR_DEVICE_ERROR, "0x%lX", rv);
    if (rv == CKR_OK)
        RETURNS(CKR_DEVICE_ERROR, p11_try_login(session, AUTH_PIN));
    EXPECT(seconds_now() - start < 9, "%.1f s", seconds_now() - start);
    other_program(LEAVE);
    struct p11_login auth;
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    EXPECT(card_tries_full(0), "%s", name);
    passed("%s: an error in time, then everything works", name);
}

static void other_exclusive(void)
{
    static const char *const exclusive[2] = {"exclusive", RESIDENT};
    static const char *const transaction[2] = {CONNECT, "begin"};
    cannot_connect(exclusive, "another program has the card exclusively");
    cannot_connect(transaction, "another program is in a transaction when we connect");
    OK(p11->C_Finalize(NULL));

    p11_initialize(NULL);
    other_program("exclusive");
    other_program("later 3000 disconnect leave");
    /* A card that is not known yet shows no token, at once; it does as soon as it can be had. */
    CK_TOKEN_INFO info;
    double start = seconds_now();
    RETURNS(CKR_TOKEN_NOT_PRESENT, p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    EXPECT(seconds_now() - start < 5, "%.1f s", seconds_now() - start);
    while (p11->C_GetTokenInfo(AUTH_SLOT(0), &info) != CKR_OK && seconds_now() - start < 20)
        sleep_ms(100);
    EXPECT(seconds_now() - start > 2, "%.1f s", seconds_now() - start);
    struct p11_login auth;
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(p11_sign(&auth));
    passed("another program has the card exclusively for 3 s: then its token is there");
}

/* ---- Two processes ----------------------------------------------------------------------- */

/* The second process: logs in, signs, logs out (which powers the card down). */
static void other_process(int times)
{
    p11_initialize(NULL);
    for (int i = 0; i < times; i++) {
        struct p11_login auth;
        p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
        OK(p11_sign(&auth));
        OK(p11->C_CloseSession(auth.session));
    }
    OK(p11->C_Finalize(NULL));
}

static void two_processes(struct p11_login *auth, struct p11_login *sign, char *self)
{
    fflush(stdout);
    pid_t other = fork();
    if (other == 0) {
        execl(self, self, "other", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    int signatures = 0;
    int logins = 0;
    for (; waitpid(other, &status, WNOHANG) == 0; signatures++) {
        OK(p11_sign(auth));
        CK_RV rv = p11_sign(sign);
        EXPECT(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
        if (rv != CKR_OK)
            p11_log_in_again(sign);
        logins += rv != CKR_OK;
    }
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the second process: %d", status);
    EXPECT(card_tries_full(0), "two processes");
    passed("a second process with this module: signed %d times, %d logins with the signature PIN",
           signatures, logins);
}

int main(int argc, char **argv)
{
    struct p11_login auth;
    struct p11_login sign;
    watchdog(200, "sharing");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    if (argc > 1 && strcmp(argv[1], "other") == 0) {
        other_process(10);
        return 0;
    }
    other_program_start();
    p11_initialize(NULL);
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    p11_log_in(&sign, SIGN_SLOT(0), SIGN_PIN);
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        run(&uses[i]);
        sign_after(&uses[i], &auth, &sign);
    }
    wrong_keys_sign(&auth);
    other_stays_connected(&auth, &sign);
    waits_for_transaction(&auth, &sign);
    two_processes(&auth, &sign, argv[0]);
    OK(p11->C_Finalize(NULL));

    p11_initialize("busy-timeout=1");
    p11_log_in(&auth, AUTH_SLOT(0), AUTH_PIN);
    p11_log_in(&sign, SIGN_SLOT(0), SIGN_PIN);
    gives_up(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    other_exclusive();
    OK(p11->C_Finalize(NULL));
    EXPECT(card_tries_full(0), "in the end");
    other_program_stop();
    return 0;
}
