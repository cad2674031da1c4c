// SPDX-License-Identifier: MIT
// Starts CPython inside the executable, hands the settings to pyfennix.host.attach, and ends it again.
//
// This file never touches arrays and never calls a model: attach() returns addresses of records whose
// function pointers (ctypes callbacks, which take the interpreter lock themselves) Fortran calls directly.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)
#define PYTHON_FOLDER "lib/python" TEXT(PY_MAJOR_VERSION) "." TEXT(PY_MINOR_VERSION) "/site-packages"

// State of the main thread while Fortran runs without the interpreter lock
static PyThreadState *main_thread = NULL;

// FOLDER and NAME into path; false when that is longer than a path may be.
static int join(char *path, const char *folder, const char *name)
{
    const int length = snprintf(path, PATH_MAX, "%s%s", folder, name);
    return length > 0 && length < PATH_MAX;
}

// True when PREFIX holds pyfennix for the Python version compiled in (a wheel or an editable install).
static int has_package(const char *prefix)
{
    char path[PATH_MAX];
    if (join(path, prefix, "/" PYTHON_FOLDER "/pyfennix/__init__.py") && access(path, R_OK) == 0) return 1;
    return join(path, prefix, "/" PYTHON_FOLDER "/_pyfennix_editable_loader.py") && access(path, R_OK) == 0;
}

// PREFIX/bin/python3 into path if it can be run and sees the package.
static int python_of_prefix(const char *prefix, char *path)
{
    return has_package(prefix) && join(path, prefix, "/bin/python3") && access(path, X_OK) == 0;
}

// The interpreter whose site-packages will be used: the caller's wish, the installation around this
// executable, the active virtual environment, the interpreter of the build. The path of a virtual
// environment is kept as it is: resolving its symbolic link would lose pyvenv.cfg.
static int choose_python(char *path, char *message, int size)
{
    const char *wish = getenv("PYFENNIX_PYTHON");
    if (wish && *wish) {
        if (join(path, wish, "") && access(path, X_OK) == 0) return 0;
        snprintf(message, size, "PYFENNIX_PYTHON names %s, which is not a program that can be run", wish);
        return 1;
    }
    char prefix[PATH_MAX];
    const char *inside = "/" PYTHON_FOLDER "/pyfennix/";
    ssize_t length = readlink("/proc/self/exe", prefix, sizeof prefix - 1);
    if (length > 0) {
        prefix[length] = '\0';
        char *cut = strstr(prefix, inside);
        if (cut) {
            *cut = '\0';
            if (python_of_prefix(prefix, path)) return 0;
        }
    }
    const char *active = getenv("VIRTUAL_ENV");
    if (active && *active && python_of_prefix(active, path)) return 0;
    if (join(path, BUILD_PYTHON, "") && access(path, X_OK) == 0) return 0;
    snprintf(message, size,
        "found no Python that has pyfennix; set PYFENNIX_PYTHON to the interpreter it was installed for");
    return 1;
}

// One line from the pending Python exception.
static void fetch_exception(const char *where, char *message, int size)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
    const char *kind = type ? ((PyTypeObject *)type)->tp_name : "an error";
    snprintf(message, size, "%s: %s: %s", where, kind, words ? words : "no text");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    PyErr_Clear();
}

static int initialize(const char *python, char *message, int size)
{
    PyConfig config;
    // Threads that spin long while they wait come to a standstill when other programs want the same cores,
    // and threads that sleep at once wake too late
    setenv("GOMP_SPINCOUNT", "5000", 0);
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0; // signals belong to the Fortran loop
    config.parse_argv = 0;
    config.buffered_stdio = 0; // what a model prints keeps its place among our lines
    char *arguments[] = {"fennix-dynamic"};
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, python);
    if (!PyStatus_Exception(status)) status = PyConfig_SetBytesArgv(&config, 1, arguments);
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (!PyStatus_Exception(status)) return 0;
    snprintf(message, size, "Python (%s) does not start: %s", python, status.err_msg ? status.err_msg : "no reason given");
    return 1;
}

// Calls pyfennix.host.attach(text), which returns four addresses or one sentence that says why not.
static int attach(const char *python, const char *text, int64_t addresses[4], char *message, int size)
{
    char where[PATH_MAX + 64];
    snprintf(where, sizeof where, "Python (%s) cannot import pyfennix", python);
    PyObject *host = PyImport_ImportModule("pyfennix.host");
    PyObject *answer = host ? PyObject_CallMethod(host, "attach", "s", text) : NULL;
    int status = 1;
    if (!host) {
        fetch_exception(where, message, size);
    } else if (!answer) {
        fetch_exception("internal error in pyfennix.host.attach", message, size);
    } else if (PyUnicode_Check(answer)) {
        const char *words = PyUnicode_AsUTF8(answer);
        snprintf(message, size, "%s", words ? words : "unreadable message");
    } else {
        long long a, b, c, d;
        if (PyArg_ParseTuple(answer, "LLLL", &a, &b, &c, &d)) {
            addresses[0] = a, addresses[1] = b, addresses[2] = c, addresses[3] = d;
            status = 0;
        } else {
            fetch_exception("internal error in pyfennix.host.attach", message, size);
        }
    }
    Py_XDECREF(answer);
    Py_XDECREF(host);
    return status;
}

// Starts Python and attaches; addresses: provider_record accurate, fast (or 0), frame_sink_record of NAME.h5 and of
// NAME.holes.h5 (or 0).
int fennix_python_start(const char *text, int64_t addresses[4], char *message, int size)
{
    char python[PATH_MAX];
    if (choose_python(python, message, size)) return 1;
    if (initialize(python, message, size)) return 1;
    int status = attach(python, text, addresses, message, size);
    main_thread = PyEval_SaveThread(); // callbacks, and autograd's threads, take the lock when they need it
    return status;
}

// Ends Python; harmless when it was not started.
void fennix_python_stop(void)
{
    if (!main_thread) return;
    PyEval_RestoreThread(main_thread);
    main_thread = NULL;
    Py_FinalizeEx();
}
