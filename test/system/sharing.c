/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program does things to the card between two calls of ours. Then the next signature works
 * with the authentication key, whose PIN is kept, and works with the signature key or says
 * CKR_USER_NOT_LOGGED_IN, with a session that is public again and can log in again; app_sign() sees
 * to it that no wrong key ever signed, and no PIN of any application loses a try.
 * Run with the card's forget.* all on, and all off.
 */
#include "p11.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READER   "Virtual PCD 00 00"
#define CONNECT  "connect " READER
#define JPKI     "apdu 00A4040C0AD392F000260100000001 9000"
#define COMMON   "apdu 00A4040C0AD3921000310001010100 9000"
#define RESIDENT "apdu 00A4040C0AD3921000310001010401 9000"
#define FACE     "apdu 00A4040C0AD3921000310001010402 9000"
#define INPUT    "apdu 00A4040C0AD3921000310001010408 9000"
#define LEAVE    "disconnect leave"

enum { LINES = 8 };

static const struct act {
    const char *name;
    const char *lines[LINES];
} acts[] = {
    {"selects the common application", {CONNECT, COMMON, LEAVE}},
    {"selects the resident register, whose keys sign without a PIN", {CONNECT, RESIDENT, LEAVE}},
    {"selects the card face", {CONNECT, "begin", FACE, "end leave", LEAVE}},
    {"selects a key file of ours", {CONNECT, JPKI, "apdu 00A4020C020017 9000", LEAVE}},
    {"selects the other key file", {CONNECT, JPKI, "apdu 00A4020C02001A 9000", LEAVE}},
    {"selects a key file of its own", {CONNECT, RESIDENT, "apdu 00A4020C020017 9000", LEAVE}},
    {"selects a file that is not there", {CONNECT, JPKI, "apdu 00A4020C023F01 6A82", LEAVE}},
    {"verifies the resident register's PIN",
     {CONNECT, RESIDENT, "apdu 0020009C0432333435 9000", LEAVE}},
    {"verifies the input support's PIN", {CONNECT, INPUT, "apdu 002000910434353637 9000", LEAVE}},
    {"verifies PINs of our files' numbers elsewhere",
     {CONNECT, RESIDENT, "apdu 002000980439383736 9000", "apdu 0020009B065A5958393837 9000",
      LEAVE}},
    {"asks how many tries are left elsewhere", {CONNECT, RESIDENT, "apdu 00200098 63C3", LEAVE}},
    {"resets the card", {CONNECT, "reconnect reset", LEAVE}},
    {"resets the card when it leaves", {CONNECT, "disconnect reset"}},
    {"resets at the end of its transaction", {CONNECT, "begin", RESIDENT, "end reset", LEAVE}},
    {"powers the card down and up", {CONNECT, "reconnect unpower", LEAVE}},
    {"powers the card down", {CONNECT, "disconnect unpower"}},
    {"resets, and selects its own", {CONNECT, "reconnect reset", RESIDENT, LEAVE}},
    {"powers down, and selects its own", {CONNECT, "reconnect unpower", FACE, LEAVE}},
};

static void act(const struct act *it)
{
    for (size_t i = 0; i < LINES && it->lines[i] != NULL; i++)
        world_neighbour("%s", it->lines[i]);
}

/* The rules for a token whose PIN is not kept. True when the login had been lost. */
static bool sign_or_log_in(struct app_desk *desk)
{
    CK_RV rv = app_sign(desk);
    if (rv == CKR_OK)
        return false;
    EXPECT(rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
    EXPECT(app_is_public(desk->session), "not logged in, and a user's session");
    app_log_in(desk);
    OK(app_sign(desk));
    return true;
}

static void after(const struct act *it, struct app_desk *auth, struct app_desk *sign)
{
    OK(app_sign(auth));
    OK(app_sign(auth));
    bool first = sign_or_log_in(sign);
    OK(app_sign(auth));
    (void)sign_or_log_in(sign);

    /* The signature token first. */
    act(it);
    bool lost = sign_or_log_in(sign);
    OK(app_sign(auth));
    EXPECT(world_tries_full(0), "a neighbour that %s", it->name);
    world_shown("a neighbour that %s%s", it->name,
                first || lost ? ": the signature login was lost" : "");
}

/* That the neighbour's keys do sign: else nothing here is shown. */
static void wrong_keys_sign(const struct app_desk *auth)
{
    act(&acts[1]);
    (void)world_card(0, "reset-counters");
    OK(app_sign(auth));
    EXPECT(world_counter(0, "signatures") == 2, "%ld signatures", world_counter(0, "signatures"));
    world_shown("a signature by the neighbour's key was made, and thrown away");
}

static void stays_connected(struct app_desk *auth, struct app_desk *sign)
{
    static const char *const lines[] = {
        CONNECT,           RESIDENT, "apdu 00A4020C020017 9000", JPKI,
        "reconnect reset", COMMON,   "disconnect reset"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        world_neighbour("%s", lines[i]);
        OK(app_sign(auth));
        (void)sign_or_log_in(sign);
    }
    EXPECT(world_tries_full(0), "stays connected");
    world_shown("a neighbour that stays connected all the while");
}

/* ---- Busy -------------------------------------------------------------------------------- */

static void waits_its_turn(struct app_desk *auth, struct app_desk *sign)
{
    static const char *const holds[4][3] = {
        {CONNECT, "begin", "later 3000 end leave"},
        {CONNECT, "begin", "later 3000 end reset"},
        {CONNECT, "begin", "later 3000 end unpower"},
        {CONNECT, "begin", "later 3000 disconnect reset"},
    };
    for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        for (int line = 0; line < 3; line++)
            world_neighbour("%s", holds[i][line]);
        double start = world_now();
        OK(app_sign(auth));
        double took = world_now() - start;
        EXPECT(took > 2, "it was not our turn after %.1f s", took);
        EXPECT(took < 8, "%.1f s", took);
        if (strstr(holds[i][2], "end") != NULL)
            world_neighbour(LEAVE);
        (void)sign_or_log_in(sign);
        EXPECT(world_tries_full(0), "%s", holds[i][2]);
    }
    world_shown("a neighbour in a transaction for 3 s: waited for, however it ends");
}

/* Every call that needs the card, while it is not to be had: busy-timeout=1. */
static void gives_up(struct app_desk *auth, struct app_desk *sign)
{
    CK_TOKEN_INFO info;
    world_neighbour(CONNECT);
    world_neighbour("begin");
    double start = world_now();
    SAYS(CKR_DEVICE_ERROR, app_sign(auth));
    EXPECT(world_now() - start > 0.7, "%.1f s", world_now() - start);
    SAYS(CKR_DEVICE_ERROR, app_sign(sign));
    SAYS(CKR_DEVICE_ERROR, p11->C_GetTokenInfo(auth->slot, &info));
    EXPECT(world_now() - start < 9, "three calls: %.1f s", world_now() - start);
    EXPECT(!app_is_public(auth->session) && !app_is_public(sign->session), "a login is gone");
    world_neighbour("end leave");
    world_neighbour(LEAVE);
    OK(app_sign(auth));
    (void)sign_or_log_in(sign);
    OK(p11->C_GetTokenInfo(auth->slot, &info));
    world_shown("a neighbour that stays in its transaction: an error in time, then all is well");
}

/* Nobody has a session, so that the neighbour gets the card for itself. `busy` makes it so. */
static void shut_out(const char *const busy[2], const char *name)
{
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE session = 0;
    for (int line = 0; line < 2; line++)
        world_neighbour("%s", busy[line]);
    double start = world_now();
    SAYS(CKR_DEVICE_ERROR, p11->C_GetTokenInfo(AUTH_SLOT(0), &info));
    CK_RV rv = p11->C_OpenSession(AUTH_SLOT(0), CKF_SERIAL_SESSION, NULL, NULL, &session);
    EXPECT(rv == CKR_OK || rv == CKR_DEVICE_ERROR, "0x%lX", rv);
    if (rv == CKR_OK)
        SAYS(CKR_DEVICE_ERROR, app_try_login(session, AUTH_PIN));
    EXPECT(world_now() - start < 9, "%.1f s", world_now() - start);
    world_neighbour(LEAVE);
    struct app_desk auth;
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    OK(app_sign(&auth));
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    EXPECT(world_tries_full(0), "%s", name);
    world_shown("%s: an error in time, then all is well", name);
}

static void somebody_exclusive(void)
{
    static const char *const exclusive[2] = {"exclusive " READER, RESIDENT};
    static const char *const transaction[2] = {CONNECT, "begin"};
    shut_out(exclusive, "a neighbour that has the card exclusively");
    shut_out(transaction, "a neighbour in a transaction when we connect");
    OK(p11->C_Finalize(NULL));

    app_initialize(NULL);
    world_neighbour("exclusive " READER);
    world_neighbour("later 3000 disconnect leave");
    double start = world_now();
    struct app_desk auth;
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    EXPECT(world_now() - start > 2, "%.1f s", world_now() - start);
    OK(app_sign(&auth));
    world_shown("a neighbour that has the card exclusively for 3 s: waited for");
}

/* ---- Two of us --------------------------------------------------------------------------- */

/* Another process with this module, too: logs in, signs, logs out (which powers the card down). */
static void other_process(int times)
{
    app_initialize(NULL);
    for (int i = 0; i < times; i++) {
        struct app_desk auth;
        app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
        OK(app_sign(&auth));
        OK(p11->C_CloseSession(auth.session));
    }
    OK(p11->C_Finalize(NULL));
}

static void two_of_us(struct app_desk *auth, struct app_desk *sign, char *self)
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
        OK(app_sign(auth));
        CK_RV rv = app_sign(sign);
        EXPECT(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN, "0x%lX", rv);
        if (rv != CKR_OK)
            app_log_in(sign);
        logins += rv != CKR_OK;
    }
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the other: %d", status);
    EXPECT(world_tries_full(0), "two of us");
    world_shown("a second process with this module; signed %d times, signature PIN asked %d times",
                signatures, logins);
}

int main(int argc, char **argv)
{
    struct app_desk auth;
    struct app_desk sign;
    world_watchdog(200, "sharing");
    app_load(NULL);
    app_card_is(0, NULL);
    if (argc > 1 && strcmp(argv[1], "other") == 0) {
        other_process(10);
        return 0;
    }
    world_neighbour_start();
    app_initialize(NULL);
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    app_sit_down(&sign, SIGN_SLOT(0), SIGN_PIN);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        act(&acts[i]);
        after(&acts[i], &auth, &sign);
    }
    wrong_keys_sign(&auth);
    stays_connected(&auth, &sign);
    waits_its_turn(&auth, &sign);
    two_of_us(&auth, &sign, argv[0]);
    OK(p11->C_Finalize(NULL));

    app_initialize("busy-timeout=1");
    app_sit_down(&auth, AUTH_SLOT(0), AUTH_PIN);
    app_sit_down(&sign, SIGN_SLOT(0), SIGN_PIN);
    gives_up(&auth, &sign);
    OK(p11->C_CloseAllSessions(AUTH_SLOT(0)));
    OK(p11->C_CloseAllSessions(SIGN_SLOT(0)));
    somebody_exclusive();
    OK(p11->C_Finalize(NULL));
    EXPECT(world_tries_full(0), "in the end");
    world_neighbour_stop();
    return 0;
}
