/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every Cryptoki function begins and ends with. Checks come in this order: initialised in this
 * process, session, arguments (2.40, 5.1.2: a bad session handle goes before bad arguments). */
#pragma once

#include "jpki/token.h"

/* Marks a function of the specification as exported. */
#define CRYPTOKI __attribute__((visibility("default")))

/* The function `name` does `code` between `begin` and `end`, calls of the functions below. */
#define FUNCTION(name, parameters, begin, code, end)                                               \
    CRYPTOKI CK_RV name parameters                                                                 \
    {                                                                                              \
        struct call call;                                                                          \
        CK_RV rv = begin;                                                                          \
        if (rv == CKR_OK)                                                                          \
            rv = (code);                                                                           \
        return end;                                                                                \
    }

/* `code` may use `call.module`. */
#define MODULE_FUNCTION(name, parameters, arguments_ok, code)                                      \
    FUNCTION(name, parameters, call_module(&call, arguments_ok), code, call_end(&call, rv))

/* `code` may use `call.session`, that of the parameter `session`. */
#define SESSION_FUNCTION(name, parameters, arguments_ok, code)                                     \
    FUNCTION(name, parameters, call_session(&call, session, arguments_ok), code,                   \
             call_end(&call, rv))

/* Groups of parameters; one that does not fit the prototype in the header does not compile. */
#define SESSION   CK_SESSION_HANDLE session
#define OBJECT    CK_OBJECT_HANDLE object
#define KEY       CK_OBJECT_HANDLE key
#define MECHANISM CK_MECHANISM_PTR mechanism
#define TEMPLATE  CK_ATTRIBUTE_PTR template, CK_ULONG count
#define PIN       CK_UTF8CHAR_PTR pin, CK_ULONG pin_length
#define IN        CK_BYTE_PTR in, CK_ULONG in_length
#define OUT       CK_BYTE_PTR out, CK_ULONG_PTR out_length
#define SIGNATURE CK_BYTE_PTR signature, CK_ULONG signature_length

struct call {
    struct jpki_module *module;   /* NULL unless inside */
    bool locked;                  /* the application's mutex is held */
    struct jpki_session *session; /* NULL unless held */
    int cancellation;             /* as the application had it */
};

/* CKR_CRYPTOKI_NOT_INITIALIZED (also in a child of the process that initialised), CKR_GENERAL_ERROR
 * when the application's mutex cannot be locked, then CKR_ARGUMENTS_BAD unless `arguments_ok`. */
CK_RV call_module(struct call *call, bool arguments_ok);

/* The same without that mutex: for a call that may wait for ever, and does so in pcscd. */
CK_RV call_waiting(struct call *call, bool arguments_ok);

/* The same, and holds the session: CKR_SESSION_HANDLE_INVALID, CKR_DEVICE_REMOVED go first. */
CK_RV call_session(struct call *call, CK_SESSION_HANDLE handle, bool arguments_ok);

/* Lets everything go; returns `rv`. */
CK_RV call_end(struct call *call, CK_RV rv);

/* Whether `count` things of `size` bytes can be at `pointer`: not at NULL, nor more than memory. */
bool call_is_array(const void *pointer, CK_ULONG count, size_t size);

/* The same of a template that says what is wanted: every attribute brings its value. */
bool call_is_template(const CK_ATTRIBUTE *template, CK_ULONG count);

/* A mutex of the application, which wants its own to be used (CK_C_INITIALIZE_ARGS); all NULL:
 * none. One is enough: it makes calls come one by one. */
struct call_mutex {
    CK_DESTROYMUTEX destroy;
    CK_LOCKMUTEX lock;
    CK_UNLOCKMUTEX unlock;
    void *mutex;
};

/* C_Initialize: reserves the place for a module, else CKR_CRYPTOKI_ALREADY_INITIALIZED. */
CK_RV call_open(struct call *call);

/* Puts the module there. NULL: gives the place back, destroys the mutex and closes the log. */
void call_set_module(struct jpki_module *module, const struct call_mutex *mutex);

/* C_Finalize. */
CK_RV call_close(struct call *call);

/* At the end of a process: no new call gets in. NULL: no module, or C_Finalize is under way. */
struct jpki_module *call_abandon(void);
