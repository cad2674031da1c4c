! SPDX-License-Identifier: MIT
!> Signals set the flag and nothing else, and the handlers found are put back.
module test_signals
   use, intrinsic :: iso_c_binding, only : c_int, c_intptr_t
   use fennix_error, only : error_type, fatal_error
   use fennix_signals, only : install_signals, restore_signals, signal_name, signal_number
   use report_samples, only : fail_if
   implicit none
   private
   public :: test_signals_caught, test_signals_restored

   !> Numbers of SIGINT, SIGTERM and SIGUSR1 on Linux
   integer(c_int), parameter :: sigint = 2, sigterm = 15, sigusr1 = 10

   interface
      function c_raise(number) bind(c, name="raise") result(status)
         import :: c_int
         implicit none
         integer(c_int), value :: number
         integer(c_int) :: status
      end function c_raise

      !> Handlers are compared and put back as plain addresses
      function c_signal(number, handler) bind(c, name="signal") result(previous)
         import :: c_int, c_intptr_t
         implicit none
         integer(c_int), value :: number
         integer(c_intptr_t), value :: handler
         integer(c_intptr_t) :: previous
      end function c_signal
   end interface

contains


!> Each signal is caught and named; installing again clears the flag
subroutine test_signals_caught(error)
   type(error_type), allocatable, intent(out) :: error

   call install_signals()
   call fail_if(signal_number() /= 0, "requested before any signal", error)
   call expect(sigterm, "SIGTERM", error)
   if (.not. allocated(error)) call expect(sigusr1, "SIGUSR1", error)
   if (.not. allocated(error)) call expect(sigint, "SIGINT", error)
   call restore_signals()
   call fail_if(signal_name(signal_number()) /= "SIGINT", "restoring forgot what was caught", error)
   call install_signals()
   call fail_if(signal_number() /= 0, "installing did not clear the flag", error)
   call restore_signals()
   call fail_if(signal_name(0) /= "" .or. signal_name(4) /= "", "a number that is no signal has a name", error)
end subroutine test_signals_caught


subroutine expect(number, name, error)
   integer(c_int), intent(in) :: number
   character(len=*), intent(in) :: name
   type(error_type), allocatable, intent(out) :: error

   call fail_if(c_raise(number) /= 0, "the signal could not be raised", error)
   call fail_if(signal_number() == 0, name // " was not noticed", error)
   call fail_if(signal_name(signal_number()) /= name, name // " is called " &
      & // signal_name(signal_number()), error)
end subroutine expect


!> A handler set before, here "ignore", is back afterwards; a second SIGINT would kill
subroutine test_signals_restored(error)
   type(error_type), allocatable, intent(out) :: error
   integer(c_intptr_t), parameter :: default = 0, ignore = 1
   integer(c_intptr_t) :: before, during, after

   before = c_signal(sigint, ignore)
   call install_signals()
   call install_signals()
   call fail_if(c_raise(sigint) /= 0, "the signal could not be raised", error)
   during = c_signal(sigint, default)
   call restore_signals()
   call restore_signals()
   after = c_signal(sigint, before)
   call fail_if(during /= default, "a second SIGINT would not kill", error)
   call fail_if(after /= ignore, "the earlier handler was not put back", error)
end subroutine test_signals_restored

end module test_signals
