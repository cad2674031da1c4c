! SPDX-License-Identifier: MIT
!> Asks whether the user or the queue wants the run to stop (SIGINT, SIGTERM, SIGUSR1).
module fennix_signals
   use, intrinsic :: iso_c_binding, only : c_int
   implicit none
   private
   public :: install_signals, restore_signals, signal_number, signal_name

   interface
      !> Clear the flag and catch SIGINT, SIGTERM and SIGUSR1; a second SIGINT kills as usual
      subroutine install_signals() bind(c, name="fennix_signals_install")
         implicit none
      end subroutine install_signals

      !> Put back the handlers that install_signals found; what was caught can still be asked
      subroutine restore_signals() bind(c, name="fennix_signals_restore")
         implicit none
      end subroutine restore_signals

      function caught_signal() bind(c, name="fennix_signals_which") result(which)
         import :: c_int
         implicit none
         integer(c_int) :: which
      end function caught_signal
   end interface

contains


!> Number of the signal that was caught, for signal_name; 0 when none was
function signal_number()
   integer :: signal_number

   signal_number = int(caught_signal())
end function signal_number


!> "SIGINT", "SIGTERM", "SIGUSR1", or empty for another number
pure function signal_name(number) result(name)
   !> As of signal_number, on any rank
   integer, intent(in) :: number
   character(len=:), allocatable :: name

   select case (number)
   case (1)
      name = "SIGINT"
   case (2)
      name = "SIGTERM"
   case (3)
      name = "SIGUSR1"
   case default
      name = ""
   end select
end function signal_name

end module fennix_signals
