! SPDX-License-Identifier: MIT
!> Numbers of atoms to rank 0 in global order, and from there to the ranks that own them.
module fennix_collect
   use fennix_kinds, only : dp, i4
   use fennix_comm, only : comm_type, gather, scatter, sum_all
   implicit none
   private
   public :: collect_rows, collect_everywhere, spread_rows

contains


!> (3, n) of own atoms to (3, n_global) on rank 0; empty elsewhere
subroutine collect_rows(comm, id, rows, whole)
   type(comm_type), intent(in) :: comm
   !> Global ids of own atoms, zero-based, (n)
   integer(i4), intent(in) :: id(:)
   real(dp), intent(in) :: rows(:, :)
   real(dp), allocatable, intent(out) :: whole(:, :)
   real(dp), allocatable :: all(:)
   integer(i4), allocatable :: ids(:)
   integer :: k

   if (comm%size == 1) then
      allocate(whole, source=rows)
      return
   end if
   call gather(comm, id, ids)
   call gather(comm, reshape(rows, [size(rows)]), all)
   allocate(whole(3, size(ids)))
   do k = 1, size(ids)
      whole(:, ids(k) + 1) = all(3*k - 2:3*k)
   end do
end subroutine collect_rows


!> (3, n) of own atoms to (3, n_global) on all ranks
subroutine collect_everywhere(comm, id, rows, whole)
   type(comm_type), intent(in) :: comm
   integer(i4), intent(in) :: id(:)
   real(dp), intent(in) :: rows(:, :)
   real(dp), intent(inout) :: whole(:, :)
   real(dp), allocatable :: flat(:)

   whole = 0.0_dp
   whole(:, id + 1) = rows
   if (comm%size == 1) return
   ! Every atom has one owner, so that sums are copies
   flat = reshape(whole, [size(whole)])
   call sum_all(comm, flat)
   whole = reshape(flat, shape(whole))
end subroutine collect_everywhere


!> (3, n_global) of rank 0 to (3, n) of own atoms
subroutine spread_rows(comm, id, whole, rows)
   type(comm_type), intent(in) :: comm
   integer(i4), intent(in) :: id(:)
   !> Significant on rank 0
   real(dp), intent(in) :: whole(:, :)
   real(dp), intent(out) :: rows(:, :)
   real(dp), allocatable :: all(:)
   real(dp) :: mine(size(rows))
   integer(i4), allocatable :: ids(:)

   if (comm%size == 1) then
      rows = whole
      return
   end if
   call gather(comm, id, ids)
   all = reshape(whole(:, ids + 1), [3*size(ids)])
   call scatter(comm, all, mine)
   rows = reshape(mine, shape(rows))
end subroutine spread_rows

end module fennix_collect
