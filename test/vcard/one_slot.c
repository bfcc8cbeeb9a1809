/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver for pcscd in front of vpcd's driver, for tests (test/system/sandbox). vpcd's driver has
 * two slots, so that each reader would have an empty second one; this driver has one, and passes
 * everything else on. It needs its own copy of libifdvpcd.so in the same directory: the slots there
 * are static variables, so two readers on one copy would share them. */
#include <dlfcn.h>
#include <ifdhandler.h>
#include <stdio.h>
#include <string.h>

#define VPCD     "libifdvpcd.so"
#define EXPORTED __attribute__((visibility("default")))

/* The function of that name in the copy of vpcd's driver in this file's directory. */
static void *vpcd(const char *name)
{
    static void *library;
    static const int here;
    Dl_info info;
    char path[4096];
    if (library == NULL && dladdr(&here, &info) != 0) {
        const char *slash = strrchr(info.dli_fname, '/');
        int len = slash == NULL ? 0 : (int)(slash - info.dli_fname);
        snprintf(path, sizeof(path), "%.*s/%s", len, info.dli_fname, VPCD);
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return library == NULL ? NULL : dlsym(library, name);
}

/* Calls vpcd's function of the same name. */
#define FORWARD(name, types, ...)                                                                  \
    RESPONSECODE(*function) types = NULL;                                                          \
    *(void **)&function = vpcd(name);                                                              \
    return function == NULL ? IFD_COMMUNICATION_ERROR : function(__VA_ARGS__)

EXPORTED RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    FORWARD("IFDHCreateChannelByName", (DWORD, LPSTR), lun, name);
}

EXPORTED RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    FORWARD("IFDHCreateChannel", (DWORD, DWORD), lun, channel);
}

EXPORTED RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    FORWARD("IFDHCloseChannel", (DWORD), lun);
}

EXPORTED RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD len, PUCHAR value)
{
    if (tag == TAG_IFD_SLOTS_NUMBER && len != NULL && value != NULL && *len > 0) {
        *len = 1;
        *value = 1;
        return IFD_SUCCESS;
    }
    FORWARD("IFDHGetCapabilities", (DWORD, DWORD, PDWORD, PUCHAR), lun, tag, len, value);
}

EXPORTED RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD len, PUCHAR value)
{
    FORWARD("IFDHSetCapabilities", (DWORD, DWORD, DWORD, PUCHAR), lun, tag, len, value);
}

EXPORTED RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1,
                                                UCHAR pts2, UCHAR pts3)
{
    FORWARD("IFDHSetProtocolParameters", (DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR), lun, protocol,
            flags, pts1, pts2, pts3);
}

EXPORTED RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD len)
{
    FORWARD("IFDHPowerICC", (DWORD, DWORD, PUCHAR, PDWORD), lun, action, atr, len);
}

EXPORTED RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER to, PUCHAR command,
                                        DWORD command_len, PUCHAR answer, PDWORD answer_len,
                                        PSCARD_IO_HEADER from)
{
    FORWARD("IFDHTransmitToICC",
            (DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER), lun, to,
            command, command_len, answer, answer_len, from);
}

EXPORTED RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR in, DWORD in_len, PUCHAR out,
                                  DWORD out_size, LPDWORD out_len)
{
    FORWARD("IFDHControl", (DWORD, DWORD, PUCHAR, DWORD, PUCHAR, DWORD, LPDWORD), lun, code, in,
            in_len, out, out_size, out_len);
}

EXPORTED RESPONSECODE IFDHICCPresence(DWORD lun)
{
    FORWARD("IFDHICCPresence", (DWORD), lun);
}
