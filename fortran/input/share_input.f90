! SPDX-License-Identifier: MIT
!> What rank 0 has read, given to all ranks in one message: settings, cell and start. Atoms follow when they are spread.
module fennix_share_input
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_comm, only : broadcast, comm_type
   use fennix_pipe, only : get_packed, new_reader, new_writer, pass, pass_fixed, pipe_type
   use fennix_cell, only : cell_type
   use fennix_settings, only : settings_type
   use fennix_share_settings, only : pass_settings
   use fennix_system, only : start_type
   implicit none
   private
   public :: share_input

contains


!> Settings, cell and start of rank 0 on all ranks
subroutine share_input(comm, settings, cell, start)
   type(comm_type), intent(in) :: comm
   type(settings_type), intent(inout) :: settings
   type(cell_type), intent(inout) :: cell
   type(start_type), intent(inout) :: start
   type(pipe_type) :: pipe
   integer(int8), allocatable :: bytes(:)

   if (comm%size == 1) return
   if (comm%rank == 0) then
      call new_writer(pipe)
      call pass_input(pipe, settings, cell, start)
      call get_packed(pipe, bytes)
   end if
   call broadcast(comm, bytes)
   if (comm%rank == 0) return
   call new_reader(pipe, bytes)
   call pass_input(pipe, settings, cell, start)
end subroutine share_input


!> Into the row of a writer, out of that of a reader
subroutine pass_input(pipe, settings, cell, start)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings
   type(cell_type), intent(inout) :: cell
   type(start_type), intent(inout) :: start
   integer :: k

   call pass_settings(pipe, settings)
   call pass(pipe, cell%periodic)
   do k = 1, 3
      call pass_fixed(pipe, cell%vectors(:, k))
      call pass_fixed(pipe, cell%inverse(:, k))
   end do
   call pass(pipe, start%kind)
   call pass(pipe, start%has_velocity)
   call pass(pipe, start%step)
   call pass(pipe, start%inner_step)
   call pass(pipe, start%time)
   call pass(pipe, start%note)
end subroutine pass_input

end module fennix_share_input
