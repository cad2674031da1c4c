! SPDX-License-Identifier: MIT
!> Says where the models of each rank run.
module fennix_devices
   use fennix_error, only : to_text
   use fennix_comm, only : comm_type, gather
   use fennix_kinds, only : i4
   use fennix_log, only : say
   use fennix_run_state, only : is_root, simulation_type
   implicit none
   private
   public :: describe_devices

   !> Of a label
   integer, parameter :: longest = 256

contains


!> One line for each group of ranks with the same labels; all ranks call this together
subroutine describe_devices(self)
   type(simulation_type), intent(in) :: self
   character(len=longest), allocatable :: labels(:)
   integer :: first, last

   if (self%domain%comm%size == 1) return
   call gather_labels(self%domain%comm, self%ladder%levels(1)%provider%label, labels)
   if (.not. is_root(self)) return
   first = 1
   do while (first <= size(labels))
      last = first
      do while (last < size(labels))
         if (labels(last + 1) /= labels(first)) exit
         last = last + 1
      end do
      call say(self%log, " Ranks " // to_text(first - 1) // " to " // to_text(last - 1) // ": " // &
         & trim(place_of(labels(first))))
      first = last + 1
   end do
end subroutine describe_devices


!> "cuda:0" or "cpu, 2 threads": what follows the precision in a label
pure function place_of(label) result(text)
   character(len=*), intent(in) :: label
   character(len=:), allocatable :: text
   integer :: at

   text = trim(label)
   at = index(text, ", float")
   if (at == 0) return
   text = text(at + 2:)
   text = text(index(text, ", ") + 2:)
   if (len(text) > 0) then
      if (text(len(text):) == ")") text = text(:len(text) - 1)
   end if
end function place_of


!> The labels of all ranks on rank 0
subroutine gather_labels(comm, label, labels)
   type(comm_type), intent(in) :: comm
   character(len=*), intent(in) :: label
   character(len=longest), allocatable, intent(out) :: labels(:)
   character(len=longest) :: mine
   integer(i4), allocatable :: codes(:)
   integer :: k, i

   mine = label
   call gather(comm, [(int(iachar(mine(i:i)), i4), i=1, longest)], codes)
   allocate(labels(size(codes)/longest))
   do k = 1, size(labels)
      do i = 1, longest
         labels(k)(i:i) = achar(codes((k - 1)*longest + i))
      end do
   end do
end subroutine gather_labels

end module fennix_devices
