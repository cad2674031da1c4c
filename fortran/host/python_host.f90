! SPDX-License-Identifier: MIT
!> The executable as host: starts Python and receives the force providers and the frame sinks from it.
module fennix_python_host
   use, intrinsic :: iso_c_binding, only : c_char, c_f_pointer, c_int, c_int64_t, c_null_char
   use fennix_c_interop, only : from_c, to_c, to_pointer
   use fennix_error, only : error_type, fatal_error
   use fennix_seam, only : frame_sink_record, provider_record
   implicit none
   private
   public :: start_host, stop_host

   !> Longest message taken over from Python
   integer, parameter :: message_size = 2048

   interface
      function python_start(text, addresses, message, size) bind(c, name="fennix_python_start") result(status)
         import :: c_char, c_int, c_int64_t
         implicit none
         character(kind=c_char), intent(in) :: text(*)
         integer(c_int64_t), intent(out) :: addresses(4)
         character(kind=c_char), intent(inout) :: message(*)
         integer(c_int), value :: size
         integer(c_int) :: status
      end function python_start

      subroutine python_stop() bind(c, name="fennix_python_stop")
         implicit none
      end subroutine python_stop
   end interface

contains


!> Start Python and build the models that the text describes
subroutine start_host(text, providers, sinks, error)
   !> Lines "key=value" that pyfennix.host.attach reads
   character(len=*), intent(in) :: text
   !> Accurate level, then the fast level if there is one
   type(provider_record), allocatable, intent(out) :: providers(:)
   !> Consumers of frames for NAME.h5 and NAME.holes.h5; the functions are null when the file is not wanted
   type(frame_sink_record), intent(out) :: sinks(2)
   type(error_type), allocatable, intent(out) :: error
   character(kind=c_char) :: message(message_size)
   integer(c_int64_t) :: addresses(4)
   type(provider_record), pointer :: provider
   type(frame_sink_record), pointer :: given
   integer :: level, k

   message = c_null_char
   addresses = 0
   if (python_start(to_c(text), addresses, message, message_size) /= 0) then
      call fatal_error(error, from_c(message))
      return
   end if
   allocate(providers(count(addresses(1:2) /= 0)))
   do level = 1, size(providers)
      call c_f_pointer(to_pointer(addresses(level)), provider)
      providers(level) = provider
   end do
   do k = 1, 2
      if (addresses(2 + k) == 0) cycle
      call c_f_pointer(to_pointer(addresses(2 + k)), given)
      sinks(k) = given
   end do
end subroutine start_host


!> End Python; harmless when it was not started
subroutine stop_host()
   call python_stop()
end subroutine stop_host

end module fennix_python_host
